// Recording of a whole process for `tachostat record`, which starts it with
//   TACHOSTAT_RECORD        the folder for its file, PID.record (trace/formats/recording_layout.h)
//   TACHOSTAT_RECORD_DEPTH  layers, kernels or all (default)
// A thread of our own empties the rings into the file every 20 ms, so that little is lost when the
// process is killed. It starts when the first library calls in. A process forked off a recorded one
// has its own file and thread, from its first span on.
#pragma once

#include "probe/itt/collector.h"

namespace tachostat::probe::itt {

// Whether this process is to be recorded.
bool recording();
// What the environment asks for.
Level recorded_level();

// A library found the collector by `interface`; `caller`: an address in its code. Starts recording.
void library_called_in(const char* interface, const void* caller);

// Cheap once it runs.
void ensure_recording();

// For programs that read the rings themselves.
void stop_recording();

}  // namespace tachostat::probe::itt
