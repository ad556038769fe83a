// Sends requests by gRPC at given times whether or not earlier ones are answered (an open loop), as
// many clients that know nothing of each other do.
//
//   open_load HOST:PORT MODEL SHAPES LIMIT_MS [TIMEOUT_MS]
//     SHAPES as "x=1,3,48,320"; an answer within LIMIT_MS is in time. TIMEOUT_MS is told to the
//     server, as gRPC's deadline and as the request's parameter "timeout".
//   stdin: times in seconds, ascending, one a line; it runs at the end of the file.
//   stdout: {"sent", "answered", "in_time", "failed", "late_sends", "p50_ms", "p99_ms", "seconds",
//   "slices": [[sent, in time], …] of 100 ms each, by the time of sending, "errors": {code: count}}
#include <fmt/format.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <condition_variable>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/histogram.h"
#include "infer_request.h"

namespace tachostat {
namespace {

constexpr double kSlice = 0.1;                                  // seconds
constexpr base::Duration kLate = std::chrono::milliseconds(2);  // a send counts as late
constexpr base::Duration kPatience = std::chrono::seconds(20);  // for answers after the last send
constexpr int kChannels = 4;

struct Settings {
  std::string address, model, shapes;
  base::Duration limit{0};
  base::Duration timeout{0};  // 0: none is told
};

inference::ModelInferRequest timed_request_of(const Settings& settings) {
  inference::ModelInferRequest request = request_of(settings.model, parse_shapes(settings.shapes));
  if (settings.timeout > base::Duration(0)) {
    const auto microseconds = settings.timeout / std::chrono::microseconds(1);
    (*request.mutable_parameters())["timeout"].set_int64_param(microseconds);
  }
  return request;
}

class OpenLoad {
 public:
  explicit OpenLoad(Settings settings)
      : settings_(std::move(settings)), request_(timed_request_of(settings_)) {
    for (int i = 0; i < kChannels; ++i) {
      grpc::ChannelArguments arguments;
      arguments.SetMaxReceiveMessageSize(-1);
      arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // connections of their own
      const auto channel = grpc::CreateCustomChannel(settings_.address,
                                                     grpc::InsecureChannelCredentials(), arguments);
      channel->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(10));
      stubs_.push_back(inference::GRPCInferenceService::NewStub(channel));
    }
  }

  nlohmann::json run(const std::vector<double>& times) {
    slices_.resize(times.empty() ? 0 : static_cast<std::size_t>(times.back() / kSlice) + 1);
    const base::Time begin = std::chrono::steady_clock::now() + std::chrono::milliseconds(50);
    for (std::size_t i = 0; i < times.size(); ++i) {
      const base::Time due = begin + base::from_seconds(times[i]);
      std::this_thread::sleep_until(due);
      if (std::chrono::steady_clock::now() - due > kLate) ++late_sends_;
      send(i, due, static_cast<std::size_t>(times[i] / kSlice));
    }
    std::unique_lock lock(mutex_);
    settled_.wait_until(lock, std::chrono::steady_clock::now() + kPatience,
                        [&] { return ended_ == times.size(); });
    return result(times);
  }

 private:
  struct Call {
    grpc::ClientContext context;
    inference::ModelInferResponse response;
  };

  // Latency counts from when the request was due, so that a generator that falls behind hides
  // nothing.
  void send(std::size_t number, base::Time due, std::size_t slice) {
    auto call = std::make_shared<Call>();
    if (settings_.timeout > base::Duration(0)) {
      call->context.set_deadline(
          std::chrono::system_clock::now() +
          std::chrono::duration_cast<std::chrono::microseconds>(settings_.timeout));
    }
    {
      const std::lock_guard lock(mutex_);
      ++slices_[slice].first;
    }
    stubs_[number % stubs_.size()]->async()->ModelInfer(
        &call->context, &request_, &call->response,
        [this, call, due, slice](const grpc::Status& status) { ended(status, due, slice); });
  }

  void ended(const grpc::Status& status, base::Time due, std::size_t slice) {
    const base::Duration latency = std::chrono::steady_clock::now() - due;
    const std::lock_guard lock(mutex_);
    ++ended_;
    if (status.ok()) {
      latency_.record(static_cast<std::uint64_t>(latency.count()));
      if (latency <= settings_.limit) {
        ++in_time_;
        ++slices_[slice].second;
      }
    } else {
      ++errors_[std::to_string(status.error_code())];
    }
    settled_.notify_one();
  }

  nlohmann::json result(const std::vector<double>& times) const {
    nlohmann::json slices = nlohmann::json::array();
    for (const auto& [sent, in_time] : slices_) slices.push_back({sent, in_time});
    return {{"sent", times.size()},
            {"answered", latency_.count()},
            {"in_time", in_time_},
            {"failed", ended_ - latency_.count()},
            {"unanswered", times.size() - ended_},
            {"late_sends", late_sends_},
            {"seconds", times.empty() ? 0 : times.back()},
            {"p50_ms", static_cast<double>(latency_.quantile(0.5)) / 1e6},
            {"p99_ms", static_cast<double>(latency_.quantile(0.99)) / 1e6},
            {"errors", errors_},
            {"slices", std::move(slices)}};
  }

  const Settings settings_;
  const inference::ModelInferRequest request_;
  std::vector<std::unique_ptr<inference::GRPCInferenceService::Stub>> stubs_;
  std::mutex mutex_;
  std::condition_variable settled_;
  base::Histogram latency_;
  std::uint64_t in_time_ = 0, ended_ = 0, late_sends_ = 0;
  std::map<std::string, std::uint64_t> errors_;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> slices_;
};

}  // namespace
}  // namespace tachostat

int main(int argc, char** argv) {
  using namespace tachostat;
  if (argc != 5 && argc != 6) {
    fmt::print(stderr, "usage: open_load HOST:PORT MODEL SHAPES LIMIT_MS [TIMEOUT_MS] <TIMES\n");
    return 2;
  }
  try {
    Settings settings{.address = argv[1], .model = argv[2], .shapes = argv[3]};
    settings.limit = base::from_seconds(std::stod(argv[4]) / 1e3);
    if (argc == 6) settings.timeout = base::from_seconds(std::stod(argv[5]) / 1e3);
    std::vector<double> times;
    for (double at = 0; std::cin >> at;) times.push_back(std::clamp(at, 0.0, 600.0));
    std::sort(times.begin(), times.end());
    OpenLoad load(settings);
    fmt::print("{}\n", load.run(times).dump());
    // Calls that were never answered still refer to this process's memory.
    std::fflush(stdout);
    std::_Exit(0);
  } catch (const std::exception& error) {
    fmt::print(stderr, "open_load: {}\n", error.what());
    return 3;
  }
}
