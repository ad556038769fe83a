#include "simulate/machine.h"

#include <algorithm>
#include <cmath>

namespace tachostat::simulate {
namespace {

constexpr double kRounding = 1e-9;  // seconds: less than that is left to do is nothing

}  // namespace

Machine::Machine(const base::Clock& clock, double cores)
    : clock_(clock), cores_(cores), settled_(clock.now()) {}

double Machine::speed() const {
  if (cores_ <= 0 || slowness_ <= 0 || !std::isfinite(slowness_)) return 0;
  return std::min(1.0, asked_ > 0 ? cores_ / asked_ : 1.0) / slowness_;
}

void Machine::settle() {
  const base::Time now = clock_.now();
  if (now > settled_ && !running_.empty()) {
    progress_ += base::to_seconds(now - settled_) * speed();
  }
  settled_ = std::max(settled_, now);
}

void Machine::set_cores(double cores) {
  settle();
  cores_ = cores;
}

void Machine::set_slowness(double times) {
  settle();
  slowness_ = times;
}

void Machine::start(double work, double cores, Done done) {
  settle();
  if (running_.empty()) {  // marks stay small, and sums of `asked_` exact
    progress_ = 0;
    asked_ = 0;
  }
  asked_ += cores;
  running_.emplace(std::pair(progress_ + std::max(0.0, work), started_++),
                   Running{cores, std::move(done)});
}

base::Time Machine::next_finish() const {
  const double rate = speed();
  if (running_.empty() || rate <= 0) return base::Time::max();
  const double left = std::max(0.0, running_.begin()->first.first - progress_) / rate;
  if (left > 1e9) return base::Time::max();  // 30 years: it hangs
  return settled_ + base::Duration(static_cast<std::int64_t>(std::ceil(left * 1e9)));
}

bool Machine::finish_due() {
  settle();
  bool any = false;
  while (!running_.empty() && running_.begin()->first.first <= progress_ + kRounding) {
    end_first();
    any = true;
  }
  return any;
}

void Machine::finish_all() {
  while (!running_.empty()) end_first();
}

void Machine::end_first() {
  Running ended = std::move(running_.begin()->second);
  running_.erase(running_.begin());
  asked_ -= ended.cores;
  ended.done();
}

}  // namespace tachostat::simulate
