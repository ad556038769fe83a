// A loaded variant on OpenVINO: a queue of inferences in order of arrival and one thread a stream.
#pragma once

#include <deque>
#include <memory>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "engine/engine.h"
#include "engine/inputs.h"
#include "engine/openvino/stream.h"

namespace tachostat::engine {

class OpenvinoSession final : public Session {
 public:
  struct Parts {
    model::Variant variant;
    std::vector<AcceptedInput> accepted;
    Applied applied;
    std::uint64_t memory_bytes = 0;
    std::vector<std::unique_ptr<Stream>> streams;
    Observer* observer = nullptr;
  };
  explicit OpenvinoSession(Parts parts);
  ~OpenvinoSession() override;

  std::uint64_t number() const override { return number_; }
  const model::Variant& variant() const override { return parts_.variant; }
  const Applied& applied() const override { return parts_.applied; }
  std::uint64_t memory_bytes() const override { return parts_.memory_bytes; }
  void infer(std::vector<Tensor> inputs, Completion done) override;

 private:
  struct Job {
    std::vector<Tensor> inputs;
    Completion done;
  };

  void serve(Stream& stream);
  bool take(Job& job) TS_EXCLUDES(mutex_);  // false: closing, and nothing is left
  absl::StatusOr<std::vector<Tensor>> execute(Stream& stream, const std::vector<Tensor>& inputs);
  absl::Status observed_run(Stream& stream);

  const Parts parts_;
  const std::uint64_t number_;
  base::Mutex mutex_;
  base::CondVar changed_;
  std::deque<Job> jobs_ TS_GUARDED_BY(mutex_);
  bool closing_ TS_GUARDED_BY(mutex_) = false;
  std::vector<std::jthread> threads_;  // last: joined before the rest goes
};

}  // namespace tachostat::engine
