// One side of a comparison, driven by lines on stdin so that a script can interleave several: the
// bare engine's own asynchronous loop, or closed-loop clients of a server by gRPC.
//
//   load bare MODEL SHAPES THREADS STREAMS    SHAPES as "x=1,3,48,320", inputs separated by ";"; ""
//   when static load grpc HOST:PORT MODEL SHAPES stdin:  SECONDS REQUESTS_IN_FLIGHT        one line
//   each stdout: {"seconds", "requests", "failed", "p50_ms", "p99_ms", "mean_ms"}, one line each
#include <fmt/format.h>
#include <grpcpp/grpcpp.h>

#include <condition_variable>
#include <functional>
#include <iostream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <openvino/openvino.hpp>
#include <thread>

#include "base/clock.h"
#include "base/histogram.h"
#include "infer_request.h"

namespace tachostat {
namespace {

// Counts what finishes inside the window, from any thread.
class Window {
 public:
  void start(double seconds) {
    const std::lock_guard lock(mutex_);
    latency_.clear();
    failed_ = 0;
    begin_ = std::chrono::steady_clock::now();
    end_ = begin_ + base::from_seconds(seconds);
  }
  bool over() const { return std::chrono::steady_clock::now() >= end_; }
  void finished(base::Time begin, bool ok) {
    const base::Time now = std::chrono::steady_clock::now();
    const std::lock_guard lock(mutex_);
    if (now > end_) return;
    if (!ok) {
      ++failed_;
    } else {
      latency_.record(static_cast<std::uint64_t>((now - begin).count()));
    }
  }
  std::string json() const {
    const std::lock_guard lock(mutex_);
    return nlohmann::json{{"seconds", base::to_seconds(end_ - begin_)},
                          {"requests", latency_.count()},
                          {"failed", failed_},
                          {"mean_ms", latency_.mean() / 1e6},
                          {"p50_ms", static_cast<double>(latency_.quantile(0.5)) / 1e6},
                          {"p99_ms", static_cast<double>(latency_.quantile(0.99)) / 1e6}}
        .dump();
  }

 private:
  mutable std::mutex mutex_;
  base::Histogram latency_;
  std::uint64_t failed_ = 0;
  base::Time begin_, end_;
};

// A side starts one request and calls back when it is answered; the loop keeps `in_flight` going.
class Side {
 public:
  virtual ~Side() = default;
  virtual void prepare(int slots) = 0;
  virtual void send(int slot, std::function<void(bool ok)> done) = 0;
};

void run_window(Side& side, Window& window, double seconds, int in_flight) {
  side.prepare(in_flight);
  std::mutex mutex;
  std::condition_variable wake;
  int running = in_flight;
  window.start(seconds);
  std::function<void(int)> next = [&](int slot) {
    const base::Time begin = std::chrono::steady_clock::now();
    side.send(slot, [&, slot, begin](bool ok) {
      window.finished(begin, ok);
      if (!window.over()) return next(slot);
      const std::lock_guard lock(mutex);
      if (--running == 0) wake.notify_one();
    });
  };
  for (int slot = 0; slot < in_flight; ++slot) next(slot);
  std::unique_lock lock(mutex);
  wake.wait(lock, [&] { return running == 0; });
}

class Bare final : public Side {
 public:
  Bare(const std::string& path, const Shapes& shapes, int threads, int streams) {
    auto model = core_.read_model(path);
    compiled_ = core_.compile_model(
        model, "CPU", ov::num_streams(streams), ov::inference_num_threads(threads),
        ov::hint::enable_cpu_pinning(false), ov::hint::inference_precision(ov::element::f32));
    for (const auto& input : model->inputs()) {
      const auto found = shapes.find(input.get_any_name());
      ov::Shape shape;
      if (found != shapes.end()) {
        shape.assign(found->second.begin(), found->second.end());
      } else {
        shape = input.get_shape();
      }
      ov::Tensor tensor(ov::element::f32, shape);
      const auto values = values_for(tensor.get_size());
      std::copy(values.begin(), values.end(), tensor.data<float>());
      inputs_.push_back(tensor);
    }
  }
  void prepare(int slots) override {
    while (static_cast<int>(requests_.size()) < slots) {
      ov::InferRequest request = compiled_.create_infer_request();
      for (std::size_t i = 0; i < inputs_.size(); ++i) request.set_input_tensor(i, inputs_[i]);
      requests_.push_back(request);
    }
  }
  void send(int slot, std::function<void(bool)> done) override {
    ov::InferRequest& request = requests_[static_cast<std::size_t>(slot)];
    request.set_callback(
        [done = std::move(done)](const std::exception_ptr& error) { done(!error); });
    request.start_async();
  }

 private:
  ov::Core core_;
  ov::CompiledModel compiled_;
  std::vector<ov::Tensor> inputs_;
  std::vector<ov::InferRequest> requests_;
};

class Grpc final : public Side {
 public:
  Grpc(const std::string& address, const std::string& model, const Shapes& shapes)
      : request_(request_of(model, shapes)) {
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(-1);
    stub_ = inference::GRPCInferenceService::NewStub(
        grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments));
  }
  void prepare(int slots) override {
    while (static_cast<int>(calls_.size()) < slots) calls_.push_back(std::make_unique<Call>());
  }
  void send(int slot, std::function<void(bool)> done) override {
    Call& call = *calls_[static_cast<std::size_t>(slot)];
    call.context = std::make_unique<grpc::ClientContext>();
    stub_->async()->ModelInfer(call.context.get(), &request_, &call.response,
                               [done = std::move(done)](const grpc::Status& status) {
                                 if (!status.ok())
                                   fmt::print(stderr, "load: {}\n", status.error_message());
                                 done(status.ok());
                               });
  }

 private:
  struct Call {
    std::unique_ptr<grpc::ClientContext> context;
    inference::ModelInferResponse response;
  };
  std::unique_ptr<inference::GRPCInferenceService::Stub> stub_;
  const inference::ModelInferRequest request_;
  std::vector<std::unique_ptr<Call>> calls_;
};

int serve_lines(Side& side) {
  Window window;
  double seconds = 0;
  int in_flight = 0;
  while (std::cin >> seconds >> in_flight) {
    run_window(side, window, std::min(seconds, 120.0), std::clamp(in_flight, 1, 256));
    fmt::print("{}\n", window.json());
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace
}  // namespace tachostat

int main(int argc, char** argv) {
  using namespace tachostat;
  const std::vector<std::string> words(argv + 1, argv + argc);
  try {
    if (words.size() == 5 && words[0] == "bare") {
      Bare side(words[1], parse_shapes(words[2]), std::stoi(words[3]), std::stoi(words[4]));
      return serve_lines(side);
    }
    if (words.size() == 4 && words[0] == "grpc") {
      Grpc side(words[1], words[2], parse_shapes(words[3]));
      return serve_lines(side);
    }
  } catch (const std::exception& error) {
    fmt::print(stderr, "load: {}\n", error.what());
    return 3;
  }
  fmt::print(stderr,
             "usage: load bare MODEL SHAPES THREADS STREAMS | load grpc HOST:PORT MODEL SHAPES\n");
  return 2;
}
