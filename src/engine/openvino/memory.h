// How much of the heap is in use, for the difference that loading makes. An estimate: what other
// threads allocate or free meanwhile counts too, and weights mapped from a file do not.
#pragma once

#include <cstdint>

namespace tachostat::engine {

// Bytes that malloc has given out and not got back, over all threads' arenas; 0 when the allocator
// does not tell.
std::uint64_t heap_in_use();

}  // namespace tachostat::engine
