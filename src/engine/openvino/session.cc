#include "engine/openvino/session.h"

#include <atomic>
#include <utility>

#include "base/status.h"
#include "base/thread.h"

namespace tachostat::engine {
namespace {

std::uint64_t next_number() {
  static std::atomic<std::uint64_t> next{1};
  return next++;
}

}  // namespace

OpenvinoSession::OpenvinoSession(Parts parts) : parts_(std::move(parts)), number_(next_number()) {
  for (const std::unique_ptr<Stream>& stream : parts_.streams) {
    threads_.push_back(base::start_thread(
        fmt::format("infer-{}.{}", number_, threads_.size()),
        [this, stream = stream.get()](const std::stop_token&) { serve(*stream); }));
  }
}

OpenvinoSession::~OpenvinoSession() {
  base::MutexLock lock(mutex_);
  closing_ = true;
  changed_.notify_all();
}

void OpenvinoSession::infer(std::vector<Tensor> inputs, Completion done) {
  base::MutexLock lock(mutex_);
  jobs_.push_back({std::move(inputs), std::move(done)});
  changed_.notify_one();
}

bool OpenvinoSession::take(Job& job) {
  base::MutexLock lock(mutex_);
  while (jobs_.empty() && !closing_) changed_.wait(mutex_);
  if (jobs_.empty()) return false;
  job = std::move(jobs_.front());
  jobs_.pop_front();
  return true;
}

void OpenvinoSession::serve(Stream& stream) {
  for (Job job; take(job);) {
    absl::StatusOr<std::vector<Tensor>> result = execute(stream, job.inputs);
    job.inputs.clear();
    job.done(std::move(result));
    job.done = nullptr;
  }
}

absl::StatusOr<std::vector<Tensor>> OpenvinoSession::execute(Stream& stream,
                                                             const std::vector<Tensor>& inputs) {
  std::vector<int> order;
  TS_RETURN_IF_ERROR(match_inputs(parts_.accepted, inputs, order));
  std::vector<const Tensor*> ordered;
  ordered.reserve(order.size());
  for (const int index : order) ordered.push_back(&inputs[static_cast<std::size_t>(index)]);
  TS_RETURN_IF_ERROR(stream.bind(ordered));
  TS_RETURN_IF_ERROR(observed_run(stream));
  return stream.outputs();
}

absl::Status OpenvinoSession::observed_run(Stream& stream) {
  if (parts_.observer == nullptr) return stream.run();
  parts_.observer->on_start(number_);
  const base::Time begin = std::chrono::steady_clock::now();
  absl::Status status = stream.run();
  const base::Time end = std::chrono::steady_clock::now();
  parts_.observer->on_end({.session = number_,
                           .thread = base::this_thread_id(),
                           .begin = begin,
                           .end = end,
                           .failed = !status.ok(),
                           .bucket = stream.bucket()});
  return status;
}

}  // namespace tachostat::engine
