// Domains and names are made by one thread and used by others. The callers hand them over by the
// guard of a static variable, which ThreadSanitizer does not see in code that it did not compile:
// it is told here. Nothing in other builds.
#pragma once

#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

namespace tachostat::probe::itt {

inline void handed_out([[maybe_unused]] const void* object) {
#if defined(__SANITIZE_THREAD__)
  __tsan_release(const_cast<void*>(object));
#endif
}

inline void received([[maybe_unused]] const void* object) {
#if defined(__SANITIZE_THREAD__)
  __tsan_acquire(const_cast<void*>(object));
#endif
}

}  // namespace tachostat::probe::itt
