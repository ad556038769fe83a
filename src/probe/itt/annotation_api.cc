#include "probe/itt/annotation_api.h"

#include <cstring>
#include <string>

#include "probe/itt/abi.h"
#include "probe/itt/annotations.h"
#include "probe/itt/domains.h"
#include "probe/itt/recorder.h"
#include "probe/itt/registry.h"
#include "probe/itt/this_thread.h"

namespace tachostat::probe::itt {
namespace {

std::uint32_t number_of(const StringHandle* name) {
  return name != nullptr ? static_cast<std::uint32_t>(name->extra1) : 0;
}

Annotations& annotations() {
  ensure_recording();
  return Annotations::instance();
}

// Tasks and frames of one domain may have equal identifiers, and frames may have none.
enum class Sort : std::uint64_t { kTask = 0, kFrame = 1 };

Annotations::Key key_of(const Domain* domain, const Id& id, Sort sort) {
  return {domain, id.d1 ^ id.d3 << 1, id.d2 << 1 | static_cast<std::uint64_t>(sort)};
}

void task_begin_overlapped(const Domain* domain, Id id, Id, StringHandle* name) {
  const DomainClass meaning = unpack(domain->extra1);
  annotations().begin(key_of(domain, id, Sort::kTask), domain->name, number_of(name), meaning.kind,
                      now_ns());
}

void task_end_overlapped(const Domain* domain, Id id) {
  annotations().end(key_of(domain, id, Sort::kTask), now_ns());
}

// The task has a function's address instead of a name, yet it ends as all others do.
void task_begin_fn(const Domain* domain, Id, Id, void*) {
  const std::uint64_t position = Registry::instance().position();
  if (static_cast<std::uint64_t>(unpack(domain->extra1).level) > (position & 0xff)) return;
  ThreadLog* log = log_of_this_thread(position);
  if (log != nullptr) log->begin(domain, 0, position >> 8, now_ns);
}

// A frame is one turn of a program's main loop, so it is what we call a request.
void frame_begin(const Domain* domain, Id* id) {
  annotations().begin(key_of(domain, id != nullptr ? *id : Id{}, Sort::kFrame),
                      std::string(domain->name) + " frames",
                      Registry::instance().number(domain->name), trace::Kind::kRequest, now_ns());
}

void frame_end(const Domain* domain, Id* id) {
  annotations().end(key_of(domain, id != nullptr ? *id : Id{}, Sort::kFrame), now_ns());
}

void marker(const Domain*, Id, StringHandle* name, int) {
  annotations().moment(number_of(name), now_ns());
}

// Events are tasks without a domain. Their number is that of their name.
const Domain kEvents{};

int event_create(const char* name, int length) {
  if (name == nullptr || length < 0) return 0;
  const std::string text(name, strnlen(name, static_cast<std::size_t>(length)));
  return static_cast<int>(Registry::instance().number(text));
}

int event_start(int event) {
  annotations().begin({&kEvents, static_cast<std::uint64_t>(event), 0}, "events",
                      static_cast<std::uint32_t>(event), trace::Kind::kOther, now_ns());
  return 0;
}

int event_end(int event) {
  annotations().end({&kEvents, static_cast<std::uint64_t>(event), 0}, now_ns());
  return 0;
}

// What a program holds of a counter. Counters that a library made before it found us are unknown
// objects of its own, told by the mark.
struct Counter {
  static constexpr std::uint64_t kMark = 0x7461'6368'6f63'6e74;
  std::uint64_t mark = kMark;
  std::uint32_t number = 0;
  int type = 0;
};

// ITT's types of values, from 1 on.
enum { kU64 = 1, kS64, kU32, kS32, kU16, kS16, kFloat, kDouble };

template <class T>
double read_as(const void* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return static_cast<double>(value);
}

double value_at(const void* from, int type) {
  switch (type) {
    case kS64:
      return read_as<std::int64_t>(from);
    case kU32:
      return read_as<std::uint32_t>(from);
    case kS32:
      return read_as<std::int32_t>(from);
    case kU16:
      return read_as<std::uint16_t>(from);
    case kS16:
      return read_as<std::int16_t>(from);
    case kFloat:
      return read_as<float>(from);
    case kDouble:
      return read_as<double>(from);
    default:
      return read_as<std::uint64_t>(from);
  }
}

const Counter* ours(const void* counter) {
  const auto* known = static_cast<const Counter*>(counter);
  return known != nullptr && known->mark == Counter::kMark ? known : nullptr;
}

void* counter_create_typed(const char* name, const char* domain, int type) {
  if (name == nullptr) return nullptr;
  std::string full = domain != nullptr && *domain != '\0' ? std::string(domain) + ": " : "";
  full += name;
  // Never freed: programs keep using counters that they destroyed.
  return new Counter{.number = annotations().counter(full), .type = type};
}

void* counter_create(const char* name, const char* domain) {
  return counter_create_typed(name, domain, kU64);
}

void* counter_create_v3(const Domain* domain, const char* name, int type) {
  return counter_create_typed(name, domain != nullptr ? domain->name : nullptr, type);
}

void counter_add(void* counter, double step) {
  const Counter* known = ours(counter);
  if (known != nullptr) annotations().add(known->number, step, now_ns());
}

void counter_inc(void* counter) { counter_add(counter, 1); }
void counter_dec(void* counter) { counter_add(counter, -1); }
void counter_inc_delta(void* counter, unsigned long long step) {
  counter_add(counter, static_cast<double>(step));
}
void counter_dec_delta(void* counter, unsigned long long step) {
  counter_add(counter, -static_cast<double>(step));
}
void counter_set_value(void* counter, void* value) {
  const Counter* known = ours(counter);
  if (known == nullptr || value == nullptr) return;
  annotations().set(known->number, value_at(value, known->type), now_ns());
}

void add_by_name(const Domain* domain, const StringHandle* name, double step) {
  if (name == nullptr) return;
  const std::uint32_t counter =
      annotations().counter(std::string(domain->name) + ": " + name->text);
  annotations().add(counter, step, now_ns());
}

void counter_inc_v3(const Domain* domain, StringHandle* name) { add_by_name(domain, name, 1); }
void counter_dec_v3(const Domain* domain, StringHandle* name) { add_by_name(domain, name, -1); }
void counter_inc_delta_v3(const Domain* domain, StringHandle* name, unsigned long long step) {
  add_by_name(domain, name, static_cast<double>(step));
}
void counter_dec_delta_v3(const Domain* domain, StringHandle* name, unsigned long long step) {
  add_by_name(domain, name, -static_cast<double>(step));
}

void pause_recording() { Registry::instance().set_level(Level::kOff); }
void resume_recording() { Registry::instance().set_level(recorded_level()); }

}  // namespace

void* annotation_named(std::string_view itt_function) {
  struct Entry {
    std::string_view name;
    void* function;
  };
  static const Entry entries[] = {
      {"__itt_task_begin_overlapped", reinterpret_cast<void*>(&task_begin_overlapped)},
      {"__itt_task_end_overlapped", reinterpret_cast<void*>(&task_end_overlapped)},
      {"__itt_task_begin_fn", reinterpret_cast<void*>(&task_begin_fn)},
      {"__itt_frame_begin_v3", reinterpret_cast<void*>(&frame_begin)},
      {"__itt_frame_end_v3", reinterpret_cast<void*>(&frame_end)},
      {"__itt_marker", reinterpret_cast<void*>(&marker)},
      {"__itt_event_create", reinterpret_cast<void*>(&event_create)},
      {"__itt_event_start", reinterpret_cast<void*>(&event_start)},
      {"__itt_event_end", reinterpret_cast<void*>(&event_end)},
      {"__itt_counter_create", reinterpret_cast<void*>(&counter_create)},
      {"__itt_counter_create_typed", reinterpret_cast<void*>(&counter_create_typed)},
      {"__itt_counter_create_v3", reinterpret_cast<void*>(&counter_create_v3)},
      {"__itt_counter_inc", reinterpret_cast<void*>(&counter_inc)},
      {"__itt_counter_dec", reinterpret_cast<void*>(&counter_dec)},
      {"__itt_counter_inc_delta", reinterpret_cast<void*>(&counter_inc_delta)},
      {"__itt_counter_dec_delta", reinterpret_cast<void*>(&counter_dec_delta)},
      {"__itt_counter_set_value", reinterpret_cast<void*>(&counter_set_value)},
      {"__itt_counter_inc_v3", reinterpret_cast<void*>(&counter_inc_v3)},
      {"__itt_counter_dec_v3", reinterpret_cast<void*>(&counter_dec_v3)},
      {"__itt_counter_inc_delta_v3", reinterpret_cast<void*>(&counter_inc_delta_v3)},
      {"__itt_counter_dec_delta_v3", reinterpret_cast<void*>(&counter_dec_delta_v3)},
      {"__itt_pause", reinterpret_cast<void*>(&pause_recording)},
      {"__itt_resume", reinterpret_cast<void*>(&resume_recording)},
  };
  for (const Entry& entry : entries) {
    if (entry.name == itt_function) return entry.function;
  }
  return nullptr;
}

}  // namespace tachostat::probe::itt
