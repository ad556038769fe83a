#include "app/otlp_push.h"

#include <algorithm>

#include "base/log.h"
#include "base/status.h"
#include "base/thread.h"
#include "profile/formats/otlp.h"

namespace tachostat::app {
namespace {

// Only whole requests that ended after `since`, with all that is inside them, and points after it.
void keep_newer(std::uint64_t since, trace::Trace& trace) {
  std::erase_if(trace.marks, [&](const auto& mark) { return mark.begin_ns < since; });
  std::erase_if(trace.spans, [&](const auto& span) { return span.begin_ns < since; });
  trace.flows.clear();  // they count spans
  for (trace::CounterTrack& track : trace.counters) {
    std::erase_if(track.points, [&](const auto& point) { return point.first < since; });
  }
}

std::uint64_t end_of(const trace::Trace& trace) {
  std::uint64_t end = 0;
  for (const trace::Span& span : trace.spans) end = std::max(end, span.end_ns);
  return end;
}

}  // namespace

absl::StatusOr<std::unique_ptr<OtlpPusher>> OtlpPusher::Create(const base::Clock& clock,
                                                               OtlpOptions options, Collect collect,
                                                               Send send) {
  TS_ASSIGN_OR_RETURN(base::Url url, base::parse_url(options.endpoint));
  while (url.path.ends_with('/')) url.path.pop_back();
  return std::unique_ptr<OtlpPusher>(new OtlpPusher(clock, std::move(options), std::move(url),
                                                    std::move(collect), std::move(send)));
}

OtlpPusher::OtlpPusher(const base::Clock& clock, OtlpOptions options, base::Url url,
                       Collect collect, Send send)
    : clock_(clock),
      options_(std::move(options)),
      url_(std::move(url)),
      collect_(std::move(collect)),
      send_(std::move(send)),
      begin_unix_ns_(static_cast<std::uint64_t>(clock.unix_time().count())) {}

OtlpPusher::~OtlpPusher() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void OtlpPusher::start() {
  thread_ = base::start_thread("otlp", [this](const std::stop_token& stop) { run(stop); });
}

absl::Status OtlpPusher::post(const std::string& path, const std::string& body) {
  base::Url url = url_;
  url.path += path;
  TS_ASSIGN_OR_RETURN(const base::HttpReply reply,
                      send_(url, {.method = "POST",
                                  .body = body,
                                  .content_type = "application/x-protobuf",
                                  .timeout = std::chrono::seconds(5)}));
  if (reply.status >= 300) {
    return base::unavailable("{}: status {}: {}", url.path, reply.status,
                             reply.body.substr(0, 200));
  }
  return absl::OkStatus();
}

absl::Status OtlpPusher::push() {
  Telemetry telemetry = collect_();
  if (!telemetry.profile) return absl::OkStatus();
  keep_newer(pushed_until_ns_, telemetry.trace);
  const std::chrono::nanoseconds unix_time = clock_.unix_time();
  const profile::ExportInput input{
      .profile = *telemetry.profile,
      .trace = telemetry.trace,
      .begin_unix_ns = begin_unix_ns_,
      .end_unix_ns = static_cast<std::uint64_t>(unix_time.count()),
      .trace_to_unix_ns = (unix_time - clock_.now().time_since_epoch()).count()};
  absl::Status status = post("/v1/metrics", profile::otlp_metrics(input));
  for (const std::string& request : profile::otlp_traces(input)) {
    status.Update(post("/v1/traces", request));
    if (!status.ok()) break;
  }
  // What did not arrive is not sent again: a collector that comes back wants now, not a flood.
  pushed_until_ns_ = std::max(pushed_until_ns_, end_of(telemetry.trace));
  return status;
}

void OtlpPusher::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    base::sleep_until(stop, clock_.now() + options_.period);
    const absl::Status status = push();
    if (!status.ok() && !is_failing_) {
      spdlog::warn("OTLP push to {} failed, and is tried again every period: {}", options_.endpoint,
                   status.message());
    } else if (status.ok() && is_failing_) {
      spdlog::info("OTLP push to {} works again", options_.endpoint);
    }
    is_failing_ = !status.ok();
  }
}

}  // namespace tachostat::app
