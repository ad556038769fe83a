#include "probe/itt/annotations.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "trace/formats/recording_layout.h"

namespace tachostat::probe::itt {

Annotations& Annotations::instance() {
  static Annotations& annotations = *new Annotations;
  return annotations;
}

bool Annotations::has_room() {
  if (pending_.spans.size() + pending_.points.size() < kMost) return true;
  ++pending_.dropped;
  return false;
}

// The first free place of the line, or a new one.
std::uint32_t Annotations::place_on(const std::string& line) {
  auto& places = lines_[line];
  for (auto& [number, taken] : places) {
    if (taken) continue;
    taken = true;
    return number;
  }
  const std::uint32_t number = trace::recording::kLines + next_line_++;
  places.emplace_back(number, true);
  pending_.threads.emplace_back(
      number, places.size() == 1 ? line : line + " " + std::to_string(places.size()));
  return number;
}

void Annotations::begin(const Key& key, std::string_view line, std::uint32_t name, trace::Kind kind,
                        std::uint64_t now_ns) {
  base::MutexLock lock(mutex_);
  auto known = open_.find(key);
  if (known == open_.end()) {
    if (open_.size() == kMost) {
      ++pending_.dropped;
      return;
    }
    known = open_.emplace(key, Open{{}, std::string(line)}).first;
    known->second.span.thread = place_on(known->second.line);
  }
  known->second.span.begin_ns = now_ns;
  known->second.span.name = name;
  known->second.span.kind = kind;
}

void Annotations::end(const Key& key, std::uint64_t now_ns) {
  base::MutexLock lock(mutex_);
  const auto known = open_.find(key);
  if (known == open_.end()) return;
  trace::Span span = known->second.span;
  span.end_ns = std::max(now_ns, span.begin_ns);
  for (auto& [number, taken] : lines_[known->second.line]) {
    if (number == span.thread) taken = false;
  }
  open_.erase(known);
  if (has_room()) pending_.spans.push_back(span);
}

void Annotations::moment(std::uint32_t name, std::uint64_t now_ns) {
  const auto thread = static_cast<std::uint32_t>(::syscall(SYS_gettid));
  base::MutexLock lock(mutex_);
  if (!has_room()) return;
  pending_.spans.push_back({.begin_ns = now_ns, .end_ns = now_ns, .name = name, .thread = thread});
}

void Annotations::name_thread(std::uint32_t thread, std::string name) {
  base::MutexLock lock(mutex_);
  if (pending_.threads.size() < kMost) pending_.threads.emplace_back(thread, std::move(name));
}

std::uint32_t Annotations::counter(const std::string& name) {
  base::MutexLock lock(mutex_);
  const auto [known, added] = numbers_.emplace(name, static_cast<std::uint32_t>(values_.size()));
  if (added) {
    values_.push_back(0);
    pending_.counters.emplace_back(known->second, name);
  }
  return known->second;
}

void Annotations::add(std::uint32_t counter, double step, std::uint64_t now_ns) {
  base::MutexLock lock(mutex_);
  values_[counter] += step;
  if (has_room()) pending_.points.push_back({now_ns, values_[counter], counter});
}

void Annotations::set(std::uint32_t counter, double value, std::uint64_t now_ns) {
  base::MutexLock lock(mutex_);
  values_[counter] = value;
  if (has_room()) pending_.points.push_back({now_ns, value, counter});
}

Annotations::Drained Annotations::drain() {
  base::MutexLock lock(mutex_);
  return std::exchange(pending_, {});
}

void Annotations::forget() {
  open_.clear();
  lines_.clear();
  pending_ = {};
  // Counters go on, but the child's file must name them anew.
  for (const auto& [name, number] : numbers_) pending_.counters.emplace_back(number, name);
  std::sort(pending_.counters.begin(), pending_.counters.end());
}

}  // namespace tachostat::probe::itt
