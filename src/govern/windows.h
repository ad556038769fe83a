// Pieces of live traffic, one a step, become windows that a policy can judge.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>

#include "base/clock.h"
#include "govern/govern.h"

namespace tachostat::govern {

// Adds the later `piece` to `total`.
void merge(Observation& total, const Observation& piece);

struct Window {
  Observation seen;
  bool disturbed = false;  // the governor itself took the machine: a load, mirrored requests
};

// Thread-compatible.
class Windows {
 public:
  // A window closes after `length` when it has kEnough answers, else after kStretch times that.
  static constexpr std::uint64_t kEnough = 20;
  static constexpr int kStretch = 5;
  static constexpr std::size_t kKept = 16;

  explicit Windows(base::Duration length) : length_(length) {}

  // The window that this piece closes, if it does.
  std::optional<Window> add(const Observation& piece);
  // What runs now, until the next piece, is no normal traffic.
  void disturb();
  // The newest `count` closed windows together; of undisturbed ones only, if asked.
  Observation recent(std::size_t count, bool undisturbed) const;

 private:
  const base::Duration length_;
  std::optional<Window> open_;
  bool next_disturbed_ = false;
  std::deque<Window> closed_;
};

}  // namespace tachostat::govern
