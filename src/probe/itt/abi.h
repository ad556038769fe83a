// The part of ITT's binary interface that a collector must know: the layouts in which instrumented
// libraries hand over their function table, domains and strings. Ours, kept to what is used; the
// order and the types of the members are ITT's (checked with versions 3.22 to 3.26, which OpenVINO,
// oneDNN and oneTBB carry).
#pragma once

#include <pthread.h>

namespace tachostat::probe::itt {

// A library's family of tasks. Its callers test `flags` before every call, so 0 makes a task cost a
// load and a branch.
struct Domain {
  volatile int flags;
  const char* name;
  void* wide_name;
  int extra1;  // ours: pack(DomainClass)
  void* extra2;
  Domain* next;
};

struct StringHandle {
  const char* text;
  void* wide_text;
  int extra1;  // ours: the number of the name, 0 for none
  void* extra2;
  StringHandle* next;
};

struct Id {
  unsigned long long d1, d2, d3;
};

// One function of the interface as one library sees it: *function is what it calls.
struct ApiInfo {
  const char* name;  // null ends the list
  void** function;
  void* initial;  // the library's own lazy starter
  void* none;     // what to call when no collector provides it; null for most
  int group;
};

// What each library that contains ITT's static part hands to __itt_api_init.
struct Global {
  unsigned char magic[8];
  unsigned long version_major;
  unsigned long version_minor;
  unsigned long version_build;
  volatile long api_initialized;
  volatile long mutex_initialized;
  volatile long atomic_counter;
  pthread_mutex_t mutex;
  void* library;
  void* error_handler;
  const char** library_path;
  ApiInfo* functions;
  Global* next;
  void* threads;
  Domain* domains;        // created before the collector was there
  StringHandle* strings;  // likewise
  // More members follow in some versions.
};

}  // namespace tachostat::probe::itt
