// Pushes profiles, sensors and looked-at requests to an OpenTelemetry collector, by OTLP over HTTP.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "base/clock.h"
#include "base/http_client.h"
#include "profile/profile.h"
#include "trace/trace.h"

namespace tachostat::app {

struct OtlpOptions {
  std::string endpoint;  // "http://127.0.0.1:4318"; /v1/metrics and /v1/traces are added
  base::Duration period = std::chrono::seconds(10);
};

// What is pushed: the profile of the serving variant, none until enough requests were looked at,
// and the recent trace with the sensors' tracks.
struct Telemetry {
  std::optional<profile::Profile> profile;
  trace::Trace trace;
};

// Thread-compatible; push() is what the thread of start() calls every period. A collector that is
// away costs nothing but the data of that period, and one line in the log until it is back.
class OtlpPusher {
 public:
  using Collect = std::function<Telemetry()>;
  using Send =
      std::function<absl::StatusOr<base::HttpReply>(const base::Url&, const base::HttpRequest&)>;

  // InvalidArgument: not an address.
  static absl::StatusOr<std::unique_ptr<OtlpPusher>> Create(const base::Clock& clock,
                                                            OtlpOptions options, Collect collect,
                                                            Send send = base::send_http);
  ~OtlpPusher();

  void start();
  // Each span is pushed once. The first error of the exchange, after everything was tried.
  absl::Status push();

 private:
  OtlpPusher(const base::Clock& clock, OtlpOptions options, base::Url url, Collect collect,
             Send send);
  absl::Status post(const std::string& path, const std::string& body);
  void run(const std::stop_token& stop);

  const base::Clock& clock_;
  const OtlpOptions options_;
  const base::Url url_;
  const Collect collect_;
  const Send send_;
  const std::uint64_t begin_unix_ns_;
  std::uint64_t pushed_until_ns_ = 0;  // spans and points that ended before this are with them
  bool is_failing_ = false;
  std::jthread thread_;
};

}  // namespace tachostat::app
