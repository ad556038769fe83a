// Drives one session with copies of one request.
#pragma once

#include <algorithm>
#include <vector>

#include "base/mutex.h"
#include "engine/engine.h"

namespace tachostat::app {

// Keeps a number of requests in flight and waits for them all. Where there are several streams,
// twice as many as these: the next one lies ready when a stream is done, as under real load.
class Driver {
 public:
  Driver(engine::Session& session, const std::vector<engine::Tensor>& inputs)
      : session_(session), inputs_(inputs) {}

  absl::Status run(int requests) {
    const int streams = std::max(1, session_.applied().streams);
    const int in_flight_limit = streams > 1 ? 2 * streams : 1;
    int started = 0;
    base::MutexLock lock(mutex_);
    while (status_.ok() && (started < requests || in_flight_ > 0)) {
      if (started < requests && in_flight_ < in_flight_limit) {
        ++started;
        ++in_flight_;
        mutex_.unlock();
        session_.infer(inputs_, [this](const absl::StatusOr<std::vector<engine::Tensor>>& outputs) {
          finished(outputs.status());
        });
        mutex_.lock();
      } else {
        wake_.wait(mutex_);
      }
    }
    while (in_flight_ > 0) wake_.wait(mutex_);
    return status_;
  }

 private:
  void finished(const absl::Status& status) {
    base::MutexLock lock(mutex_);
    --in_flight_;
    if (!status.ok()) status_ = status;
    wake_.notify_one();
  }

  engine::Session& session_;
  const std::vector<engine::Tensor>& inputs_;
  base::Mutex mutex_;
  base::CondVar wake_;
  int in_flight_ TS_GUARDED_BY(mutex_) = 0;
  absl::Status status_ TS_GUARDED_BY(mutex_);
};

}  // namespace tachostat::app
