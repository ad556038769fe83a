// ITT's C interface: what instrumented libraries find when they load this library, and the
// functions that they call from then on.

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <string_view>
#include <vector>

#include "probe/itt/annotation_api.h"
#include "probe/itt/domains.h"
#include "probe/itt/handover.h"
#include "probe/itt/recorder.h"
#include "probe/itt/registry.h"
#include "probe/itt/this_thread.h"

namespace tachostat::probe::itt {
namespace {

// Plain words in static thread storage: a task reaches its log without a call or a guard.
#define TACHOSTAT_FAST_TLS thread_local constinit __attribute__((tls_model("initial-exec")))
TACHOSTAT_FAST_TLS ThreadLog* t_log = nullptr;
TACHOSTAT_FAST_TLS bool t_ended = false;
// There was no log to be had at this position of the switch; asked again at the next.
TACHOSTAT_FAST_TLS std::uint64_t t_refused_at = ~std::uint64_t{0};
TACHOSTAT_FAST_TLS char t_name[32] = {};

std::atomic<int> g_libraries{0};
std::atomic<const LayerHooks*> g_hooks{nullptr};

const LayerHooks* hooks_for(const DomainClass& meaning) {
  return meaning.kind == trace::Kind::kLayer ? g_hooks.load(std::memory_order_acquire) : nullptr;
}

// Gives the log back when its thread ends.
struct AtThreadEnd {
  bool armed = false;
  ~AtThreadEnd() {
    if (t_log != nullptr) Registry::instance().detach(t_log);
    t_log = nullptr;
    t_ended = true;
  }
};
thread_local AtThreadEnd t_at_end;

std::string name_of_this_thread() {
  if (t_name[0] != '\0') return t_name;
  char name[16] = {};
  pthread_getname_np(pthread_self(), name, sizeof name);
  return name;
}

// The only place where a task may allocate: a thread's first.
ThreadLog* attach(std::uint64_t position) {
  if (t_ended || t_refused_at == position) return nullptr;
  ensure_recording();  // of a process that was forked off a recorded one
  t_log = Registry::instance().attach(name_of_this_thread());
  if (t_log == nullptr) {
    t_refused_at = position;
  } else {
    t_at_end.armed = true;  // touching it has its destructor run
  }
  return t_log;
}

bool wanted(const DomainClass& meaning, std::uint64_t position) {
  return static_cast<std::uint64_t>(meaning.level) <= (position & 0xff);
}

void task_begin(const Domain* domain, Id, Id, StringHandle* name) {
  received(domain);
  received(name);
  const std::uint64_t position = Registry::instance().position();
  const DomainClass meaning = unpack(domain->extra1);
  if (!wanted(meaning, position)) return;
  ThreadLog* log = t_log != nullptr ? t_log : attach(position);
  if (log == nullptr) return;
  if (const LayerHooks* hooks = hooks_for(meaning)) hooks->begin(position >> 8);
  log->begin(domain, name != nullptr ? static_cast<std::uint32_t>(name->extra1) : 0, position >> 8,
             now_ns);
}

void task_end(const Domain* domain) {
  const std::uint64_t now = now_ns();
  received(domain);
  const std::uint64_t position = Registry::instance().position();
  const DomainClass meaning = unpack(domain->extra1);
  if (!wanted(meaning, position)) return;
  if (t_log == nullptr) {
    if (t_refused_at == position) Registry::instance().count_lost();
    return;
  }
  const LayerHooks* const hooks = hooks_for(meaning);
  if (hooks == nullptr) {
    t_log->end(domain, meaning.kind, position >> 8, now);
    return;
  }
  trace::Span span;
  if (t_log->end(domain, meaning.kind, position >> 8, now, &span)) hooks->end(position >> 8, span);
}

Domain* domain_create(const char* name) {
  return name == nullptr ? nullptr : Registry::instance().domain(name);
}

StringHandle* string_handle_create(const char* text) {
  return text == nullptr ? nullptr : Registry::instance().string(text);
}

void thread_set_name(const char* name) {
  if (name == nullptr) return;
  const std::size_t length = std::min(std::strlen(name), sizeof t_name - 1);
  std::memcpy(t_name, name, length);
  t_name[length] = '\0';
  if (t_log != nullptr) Registry::instance().rename(t_log, t_name);
}

void* function_named(std::string_view name) {
  struct Entry {
    std::string_view name;
    void* function;
  };
  static const Entry entries[] = {
      {"__itt_domain_create", reinterpret_cast<void*>(&domain_create)},
      {"__itt_string_handle_create", reinterpret_cast<void*>(&string_handle_create)},
      {"__itt_task_begin", reinterpret_cast<void*>(&task_begin)},
      {"__itt_task_end", reinterpret_cast<void*>(&task_end)},
      {"__itt_thread_set_name", reinterpret_cast<void*>(&thread_set_name)},
  };
  for (const Entry& entry : entries) {
    if (entry.name == name) return entry.function;
  }
  return recording() ? annotation_named(name) : nullptr;
}

}  // namespace

ThreadLog* log_of_this_thread(std::uint64_t position) {
  return t_log != nullptr ? t_log : attach(position);
}

void forget_this_thread() {
  t_log = nullptr;
  t_refused_at = ~std::uint64_t{0};
}

int libraries() { return g_libraries.load(); }
void set_level(Level level) { Registry::instance().set_level(level); }
void set_layer_hooks(const LayerHooks* hooks) { g_hooks.store(hooks, std::memory_order_release); }
void drain(trace::Trace& out) { Registry::instance().drain(out); }
std::uint64_t emitted() { return Registry::instance().emitted(); }

// Between a layer's begin and its end an engine fills the caches with its own data, so a tight loop
// would flatter us: here a walk through memory comes before each call. The median leaves
// interruptions out.
double measure_nanoseconds_per_span() {
  constexpr std::size_t kSpans = 48;
  constexpr std::size_t kWalk = 1024 * 1024;  // beyond most second caches, and still quick
  constexpr std::size_t kLine = 64;
  std::vector<char> memory(kWalk);
  const auto walk = [&memory] {
    for (std::size_t i = 0; i < kWalk; i += kLine) {
      static_cast<volatile char&>(memory[i]) = static_cast<char>(i);
    }
  };
  ThreadLog scratch(0, kSpans);
  const Domain domain{};
  std::vector<double> costs;
  for (std::size_t i = 0; i < kSpans; ++i) {
    walk();
    const std::uint64_t before_begin = now_ns();
    scratch.begin(&domain, 0, 1, now_ns);
    const std::uint64_t after_begin = now_ns();
    walk();
    const std::uint64_t before_end = now_ns();
    scratch.end(&domain, trace::Kind::kOther, 1, now_ns());
    const std::uint64_t after_end = now_ns();
    const std::uint64_t looks = now_ns() - after_end;  // of this measurement, one for each call
    costs.push_back(static_cast<double>(after_begin - before_begin + after_end - before_end) -
                    2.0 * static_cast<double>(looks));
  }
  std::nth_element(costs.begin(), costs.begin() + kSpans / 2, costs.end());
  return std::max(1.0, costs[kSpans / 2]);
}

// Called by a library under its own lock, before it calls anything else.
extern "C" TACHOSTAT_ITT_EXPORT void itt_api_init(Global* global,
                                                  int /*groups*/) __asm__("__itt_api_init");
void itt_api_init(Global* global, int /*groups*/) {
  if (global == nullptr || global->functions == nullptr) return;
  library_called_in("ITT", __builtin_return_address(0));
  Registry::instance().adopt(global->domains, global->strings);
  // A library may free its own lists at its end; what we hold of them must stay.
  global->domains = nullptr;
  global->strings = nullptr;
  for (ApiInfo* info = global->functions; info->name != nullptr; ++info) {
    void* function = function_named(info->name);
    *info->function = function != nullptr ? function : info->none;
  }
  g_libraries.fetch_add(1);
}

}  // namespace tachostat::probe::itt
