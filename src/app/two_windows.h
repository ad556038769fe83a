// What happened lately, as two windows of which the older one is dropped when a new one begins: so
// one to two windows' length is known at any time.
#pragma once

#include <utility>

namespace tachostat::app {

// Thread-compatible.
template <class Window>
class TwoWindows {
 public:
  TwoWindows() = default;
  // Both begin as `empty`.
  explicit TwoWindows(const Window& empty) : now_(empty), before_(empty) {}

  Window& now() { return now_; }
  const Window& now() const { return now_; }
  void turn(Window next) { before_ = std::exchange(now_, std::move(next)); }
  // Nothing of before is recent.
  void restart(const Window& empty) { now_ = before_ = empty; }
  // The older one with the newer one added by `add(newer, to)`.
  template <class Add>
  Window both(const Add& add) const {
    Window all = before_;
    add(now_, all);
    return all;
  }

 private:
  Window now_{};
  Window before_{};
};

}  // namespace tachostat::app
