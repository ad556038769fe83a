#include "probe/itt/registry.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>
#include <utility>

#include "probe/itt/domains.h"
#include "probe/itt/handover.h"

namespace tachostat::probe::itt {
namespace {

// Callers read flags as a plain volatile int.
void set_flags(Domain& domain, bool on) {
  __atomic_store_n(&domain.flags, on ? 1 : 0, __ATOMIC_RELAXED);
}

bool is_on(const Domain& domain, std::uint64_t position) {
  return static_cast<std::uint64_t>(unpack(domain.extra1).level) <= (position & 0xff);
}

char* copy_of(const char* text) {
  const std::size_t size = std::strlen(text) + 1;
  return static_cast<char*>(std::memcpy(new char[size], text, size));
}

}  // namespace

Registry& Registry::instance() {
  static Registry& registry = *new Registry;
  return registry;
}

Domain* Registry::domain(const char* name) {
  base::MutexLock lock(mutex_);
  for (Domain* known : domains_) {
    if (std::strcmp(known->name, name) == 0) return known;
  }
  auto* domain = new Domain{};
  domain->name = copy_of(name);
  take_over(*domain);
  return domain;
}

void Registry::take_over(Domain& domain) {
  domain.extra1 = pack(classify(domain.name));
  set_flags(domain, is_on(domain, position()));
  domains_.push_back(&domain);
  handed_out(&domain);
}

std::uint32_t Registry::number_of(std::string_view name) {
  // A program that gives each of its ranges a new name must not fill our memory.
  if (names_.size() == kMostNames && !numbers_.contains(std::string(name))) return 0;
  const auto [found, added] = numbers_.emplace(name, static_cast<std::uint32_t>(names_.size()));
  if (added) names_.emplace_back(name);
  return found->second;
}

StringHandle* Registry::string(const char* text) {
  base::MutexLock lock(mutex_);
  if (const auto found = strings_.find(text); found != strings_.end()) return found->second;
  auto* handle = new StringHandle{};
  handle->text = copy_of(text);
  handle->extra1 = static_cast<int>(number_of(text));
  strings_.emplace(handle->text, handle);
  handed_out(handle);
  return handle;
}

void Registry::adopt(Domain* domains, StringHandle* strings) {
  base::MutexLock lock(mutex_);
  // Each library has its own objects, even under equal names.
  for (; domains != nullptr; domains = domains->next) {
    if (domains->name != nullptr) take_over(*domains);
  }
  for (; strings != nullptr; strings = strings->next) {
    if (strings->text == nullptr) continue;
    strings->extra1 = static_cast<int>(number_of(strings->text));
    handed_out(strings);
  }
}

// The new position comes first: tasks then follow it whatever their domain's flag still says.
void Registry::set_level(Level level) {
  base::MutexLock lock(mutex_);
  const std::uint64_t old = position_.load(std::memory_order_relaxed);
  if ((old & 0xff) == static_cast<std::uint64_t>(level)) return;
  const std::uint64_t position = ((old >> 8) + 1) << 8 | static_cast<std::uint64_t>(level);
  position_.store(position, std::memory_order_seq_cst);
  for (Domain* domain : domains_) set_flags(*domain, is_on(*domain, position));
}

ThreadLog* Registry::attach(std::string name) {
  const auto thread = static_cast<std::uint32_t>(::syscall(SYS_gettid));
  base::MutexLock lock(mutex_);
  Slot* place = nullptr;
  for (const auto& slot : slots_) {
    if (slot->state == Slot::kFree) place = slot.get();
  }
  if (place != nullptr) {
    place->log.hand_over(thread);
    place->state = Slot::kLive;
  } else {
    if (slots_.size() == kMostThreads) return nullptr;
    slots_.push_back(std::make_unique<Slot>(thread));
    place = slots_.back().get();
  }
  place->name = std::move(name);
  return &place->log;
}

void Registry::detach(ThreadLog* log) {
  base::MutexLock lock(mutex_);
  for (const auto& slot : slots_) {
    if (&slot->log == log) slot->state = Slot::kEnded;
  }
}

void Registry::rename(ThreadLog* log, const std::string& name) {
  base::MutexLock lock(mutex_);
  for (const auto& slot : slots_) {
    if (&slot->log == log) slot->name = name;
  }
}

void Registry::drain(trace::Trace& out) {
  std::vector<trace::Span> spans;
  out.dropped += drain(spans, out.threads);
  append(std::move(spans), out);
}

// Rings are emptied outside mutex_, so that the switch and new threads don't wait for it.
std::uint64_t Registry::drain(std::vector<trace::Span>& spans,
                              std::vector<std::pair<std::uint32_t, std::string>>& threads) {
  base::MutexLock drain_lock(drain_mutex_);
  struct Source {
    Slot* slot;
    std::string name;
    bool ended;
  };
  std::vector<Source> sources;
  {
    base::MutexLock lock(mutex_);
    for (const auto& slot : slots_) {
      if (slot->state == Slot::kFree) continue;
      sources.push_back({slot.get(), slot->name, slot->state == Slot::kEnded});
    }
  }
  for (const Source& source : sources) {
    const std::size_t before = spans.size();
    source.slot->log.ring().drain(spans);
    if (spans.size() == before) continue;
    threads.emplace_back(source.slot->log.ring().thread(), source.name);
  }
  std::uint64_t losses = lost_.load(std::memory_order_relaxed);
  {
    base::MutexLock lock(mutex_);
    for (const Source& source : sources) {
      if (source.ended) source.slot->state = Slot::kFree;
    }
    for (const auto& slot : slots_) losses += slot->log.dropped();
  }
  return losses - std::exchange(drained_losses_, losses);
}

std::uint32_t Registry::number(std::string_view name) {
  base::MutexLock lock(mutex_);
  return number_of(name);
}

std::vector<std::string> Registry::names_from(std::size_t first) const {
  base::MutexLock lock(mutex_);
  if (first >= names_.size()) return {};
  return {names_.begin() + static_cast<std::ptrdiff_t>(first), names_.end()};
}

void Registry::lock() TS_NO_ANALYSIS {
  drain_mutex_.lock();
  mutex_.lock();
}

void Registry::unlock() TS_NO_ANALYSIS {
  mutex_.unlock();
  drain_mutex_.unlock();
}

void Registry::forget_threads() TS_NO_ANALYSIS {
  std::vector<trace::Span> parents;
  for (const auto& slot : slots_) {
    slot->log.ring().drain(parents);
    parents.clear();
    slot->state = Slot::kFree;
  }
  drained_losses_ = lost_.load(std::memory_order_relaxed);
  for (const auto& slot : slots_) drained_losses_ += slot->log.dropped();
}

std::vector<std::string> Registry::names_of(const std::vector<std::uint32_t>& numbers) const {
  base::MutexLock lock(mutex_);
  std::vector<std::string> names;
  names.reserve(numbers.size());
  for (const std::uint32_t number : numbers) {
    names.push_back(names_[number < names_.size() ? number : 0]);
  }
  return names;
}

// Numbers the names anew: only those that occur, after those that `out` has already.
void Registry::append(std::vector<trace::Span> spans, trace::Trace& out) const {
  std::unordered_map<std::uint32_t, std::uint32_t> place_of;  // our number to place in `used`
  std::vector<std::uint32_t> used;
  for (trace::Span& span : spans) {
    const auto [found, added] =
        place_of.emplace(span.name, static_cast<std::uint32_t>(used.size()));
    if (added) used.push_back(span.name);
    span.name = found->second;
  }
  std::unordered_map<std::string, std::uint32_t> known;
  for (std::size_t i = 0; i < out.names.size(); ++i) {
    known.emplace(out.names[i], static_cast<std::uint32_t>(i));
  }
  std::vector<std::uint32_t> final_number;
  for (std::string& name : names_of(used)) {
    const auto [found, added] = known.emplace(name, static_cast<std::uint32_t>(out.names.size()));
    if (added) out.names.push_back(std::move(name));
    final_number.push_back(found->second);
  }
  for (trace::Span& span : spans) span.name = final_number[span.name];
  out.spans.insert(out.spans.end(), spans.begin(), spans.end());
}

std::uint64_t Registry::emitted() const {
  base::MutexLock lock(mutex_);
  std::uint64_t sum = lost_.load(std::memory_order_relaxed);
  for (const auto& slot : slots_) sum += slot->log.emitted();
  return sum;
}

}  // namespace tachostat::probe::itt
