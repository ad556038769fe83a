// The functions of ITT beyond nested tasks, which only a recorded process gets: overlapped tasks,
// frames, events, markers, counters, pause and resume.
#pragma once

#include <string_view>

namespace tachostat::probe::itt {

// Null for what is not served.
void* annotation_named(std::string_view itt_function);

}  // namespace tachostat::probe::itt
