#include "app/pages.h"

#include <nlohmann/json.hpp>
#include <sstream>

#include "base/status.h"
#include "base/units.h"
#include "diagnose/diagnose.h"
#include "trace/formats/chrome.h"

namespace tachostat::app {
namespace {

using nlohmann::json;
using ModelPage =
    std::function<absl::StatusOr<serve::Page>(ModelServer&, const serve::PageRequest&)>;

serve::Page page_of(const json& value) { return {.body = value.dump(2) + "\n"}; }

json variants_json(const verify::Frontier& frontier) {
  json variants = json::array();
  for (const verify::Point& point : frontier.points()) {
    variants.push_back({{"variant", point.variant.id()},
                        {"recipe", json::parse(model::to_json(point.variant))},
                        {"service_ms", point.service_ms},
                        {"capacity_per_second", point.capacity},
                        {"p99_ms", point.p99_ms},
                        {"drop_bound", point.drop_bound},
                        {"memory_bytes", point.memory_bytes}});
  }
  return variants;
}

json overhead_json(const probe::Sampler::Report& report) {
  return {{"requests", report.requests},
          {"sampled", report.sampled},
          {"cost_when_sampled", report.cost_when_sampled},
          {"overhead", report.overhead},
          {"budget", report.budget},
          {"dropped_spans", report.dropped_spans}};
}

json json_of(const std::optional<govern::Scaling>& scaling) {
  if (!scaling) return nullptr;
  return {{"capacity", scaling->capacity},
          {"load", scaling->load},
          {"headroom", scaling->headroom},
          {"desired_replicas", scaling->desired_replicas}};
}

absl::StatusOr<serve::Page> show_state(ModelServer& model, const serve::PageRequest&) {
  const govern::GovernorState state = model.governor().state();
  json value = {{"model", model.name()},
                {"hash", model.graph().hash},
                {"phase", state.phase},
                {"variant", state.variant},
                {"targets", json::parse(govern::to_json(state.targets))},
                {"target_met", state.target_met ? json(*state.target_met) : json(nullptr)},
                {"p99_ms", state.p99_ms},
                {"throughput", state.throughput},
                {"scaling", json_of(state.scaling)},
                {"profiling", overhead_json(model.overhead())}};
  return page_of(value);
}

absl::StatusOr<serve::Page> show_decisions(ModelServer& model, const serve::PageRequest&) {
  json decisions = json::array();
  for (const govern::Decision& decision : model.decisions().decisions()) {
    decisions.push_back(json::parse(govern::to_json(decision)));
  }
  return page_of({{"decisions", std::move(decisions)}});
}

absl::StatusOr<serve::Page> show_trials(ModelServer& model, const serve::PageRequest&) {
  const govern::GovernorState state = model.governor().state();
  json trials = json::array();
  for (const verify::Trial& trial : state.trials)
    trials.push_back(json::parse(verify::to_json(trial)));
  json refusals = json::array();
  for (const optimize::Refusal& refusal : state.refusals) {
    refusals.push_back(
        {{"variant", refusal.variant}, {"proposer", refusal.proposer}, {"reason", refusal.reason}});
  }
  return page_of({{"trials", std::move(trials)}, {"refused_untried", std::move(refusals)}});
}

absl::StatusOr<serve::Page> show_variants(ModelServer& model, const serve::PageRequest&) {
  return page_of({{"variants", variants_json(model.governor().state().frontier)}});
}

absl::StatusOr<serve::Page> show_findings(ModelServer& model, const serve::PageRequest&) {
  return serve::Page{.body = diagnose::to_json(model.governor().state().findings)};
}

absl::StatusOr<serve::Page> show_profile(ModelServer& model, const serve::PageRequest&) {
  const govern::GovernorState state = model.governor().state();
  if (!state.profile) {
    return base::unavailable(
        "no profile of '{}' yet: it needs {} looked-at requests, and {} of {} were looked at so "
        "far",
        model.name(), Evidence::kEnoughRequests, model.overhead().sampled,
        model.overhead().requests);
  }
  return serve::Page{.body = profile::to_json(*state.profile)};
}

// With what the sensors said meanwhile.
serve::Page trace_page(trace::Trace trace, const Sensing& sensing) {
  sensing.add_tracks(trace);
  std::ostringstream out;
  trace::write_chrome(trace, out);
  return {.body = std::move(out).str()};
}

json profiling_json(const Capture::State& state) {
  constexpr std::string_view kPhases[] = {"idle", "running", "done"};
  return {{"state", kPhases[static_cast<int>(state.phase)]},
          {"depth", probe::name_of(state.options.depth)},
          {"requests", state.requests},
          {"requests_wanted", state.options.requests},
          {"seconds_left", base::to_seconds(state.left)},
          {"spans_left_out", state.spans_left_out}};
}

absl::StatusOr<serve::Page> show_profiling(ModelServer& model, const serve::PageRequest&) {
  return page_of(profiling_json(model.capture().state()));
}

// {"depth": "layers"|"kernels"|"counters", "requests": 200, "duration": "30s"}; each may be left
// out.
absl::StatusOr<CaptureOptions> capture_options(const json& body) {
  constexpr std::uint64_t kMostRequests = 1'000'000;
  constexpr base::Duration kLongest = std::chrono::minutes(10);
  CaptureOptions options;
  for (const auto& [name, value] : body.items()) {
    if (name == "depth" && value.is_string() && value != "off") {
      absl::StatusOr<probe::Depth> depth = probe::depth_named(value.get<std::string>());
      if (!depth.ok()) return base::with_context(depth.status(), "profiling");
      options.depth = *depth;
    } else if (name == "requests" && value.is_number_unsigned() && value > 0 &&
               value <= kMostRequests) {
      options.requests = value.get<std::uint64_t>();
    } else if (name == "duration" && value.is_string()) {
      TS_ASSIGN_OR_RETURN(options.at_most, base::parse_duration(value.get<std::string>()));
      if (options.at_most <= base::Duration(0) || options.at_most > kLongest) {
        return base::invalid_argument("profiling: 'duration' {}: expected up to 10 minutes",
                                      value.dump());
      }
    } else {
      return base::invalid_argument(
          "profiling: member '{}' with value {}: expected depth (layers, kernels or counters), "
          "requests "
          "(from "
          "1 to {}) or duration (e.g. \"30s\")",
          name, value.dump(), kMostRequests);
    }
  }
  return options;
}

absl::StatusOr<serve::Page> post_profiling(ModelServer& model, const serve::PageRequest& request) {
  const json body =
      request.body.empty() ? json::object() : json::parse(request.body, nullptr, false);
  if (!body.is_object()) {
    return base::invalid_argument(
        "profiling: expected a JSON object such as {{\"depth\": \"kernels\", \"requests\": 200, "
        "\"duration\": \"30s\"}}");
  }
  TS_ASSIGN_OR_RETURN(const CaptureOptions options, capture_options(body));
  TS_RETURN_IF_ERROR(model.capture().start(options));
  return page_of(profiling_json(model.capture().state()));
}

absl::StatusOr<serve::Page> stop_profiling(ModelServer& model, const serve::PageRequest&) {
  model.capture().stop();
  return page_of(profiling_json(model.capture().state()));
}

absl::StatusOr<serve::Page> show_captured_profile(ModelServer& model, const serve::PageRequest&) {
  TS_ASSIGN_OR_RETURN(profile::Profile profile, model.capture().profile());
  model.readings().fill(profile);
  return serve::Page{.body = profile::to_json(profile)};
}

absl::StatusOr<serve::Page> show_targets(ModelServer& model, const serve::PageRequest&) {
  return serve::Page{.body = govern::to_json(model.governor().state().targets) + "\n"};
}

// {"p99": "20ms" or null, "max_drop": "1%"}; a member left out stays as it is.
absl::StatusOr<serve::Page> put_targets(ModelServer& model, const serve::PageRequest& request) {
  const json body = json::parse(request.body, nullptr, false);
  if (!body.is_object()) {
    return base::invalid_argument(
        "targets: expected a JSON object such as {{\"p99\": \"20ms\", \"max_drop\": \"1%\"}}");
  }
  govern::Targets targets = model.governor().state().targets;
  for (const auto& [name, value] : body.items()) {
    if (name == "p99" && value.is_null()) {
      targets.p99.reset();
    } else if (name == "p99" && value.is_string()) {
      TS_ASSIGN_OR_RETURN(targets.p99, base::parse_duration(value.get<std::string>()));
    } else if (name == "max_drop" && value.is_string()) {
      TS_ASSIGN_OR_RETURN(targets.max_drop, base::parse_percent(value.get<std::string>()));
    } else {
      return base::invalid_argument(
          "targets: member '{}' with value {}: expected p99 (a duration or null) and max_drop (a "
          "percentage)",
          name, value.dump());
    }
  }
  model.governor().set_targets(targets);
  return serve::Page{.body = govern::to_json(targets) + "\n"};
}

struct NamedPage {
  const char* method;
  const char* path;  // after /tachostat/v1/models/{name}
  ModelPage page;
};

const NamedPage kModelPages[] = {
    {"GET", "", show_state},
    {"GET", "/decisions", show_decisions},
    {"GET", "/trials", show_trials},
    {"GET", "/variants", show_variants},
    {"GET", "/findings", show_findings},
    {"GET", "/profile", show_profile},
    {"GET", "/targets", show_targets},
    {"PUT", "/targets", put_targets},
    {"GET", "/profiling", show_profiling},
    {"POST", "/profiling", post_profiling},
    {"DELETE", "/profiling", stop_profiling},
    {"GET", "/profiling/profile", show_captured_profile},
};

// The page of a model that must be there, by the name in the path.
serve::PageHandler of_model(std::function<ModelServer*()> model, ModelPage page) {
  return [model = std::move(model), page = std::move(page)](
             const serve::PageRequest& request) -> absl::StatusOr<serve::Page> {
    ModelServer* served = model();
    if (served == nullptr) return base::unavailable("the model is being loaded: try again");
    const std::string& name = request.parameters.find("name")->second;
    if (name != served->name()) {
      return base::not_found("no model '{}': this server has '{}'", name, served->name());
    }
    return page(*served, request);
  };
}

}  // namespace

std::vector<serve::Route> make_pages(const std::function<ModelServer*()>& model,
                                     probe::SpanSource& spans, const Sensing& sensing) {
  std::vector<serve::Route> routes;
  const auto add = [&](const char* method, const char* path, ModelPage page) {
    routes.push_back({method, std::string("/tachostat/v1/models/{name}") + path,
                      of_model(model, std::move(page))});
  };
  for (const NamedPage& named : kModelPages) add(named.method, named.path, named.page);
  add("GET", "/trace", [&sensing](ModelServer& served, const serve::PageRequest&) {
    return absl::StatusOr<serve::Page>(trace_page(served.evidence().recent_trace(), sensing));
  });
  add("GET", "/profiling/trace",
      [&sensing](ModelServer& served, const serve::PageRequest&) -> absl::StatusOr<serve::Page> {
        TS_ASSIGN_OR_RETURN(trace::Trace trace, served.capture().trace());
        return trace_page(std::move(trace), sensing);
      });
  routes.push_back({"GET", "/tachostat/v1/machine", [&spans, &sensing](const serve::PageRequest&) {
                      const absl::Status itt = spans.available();
                      json machine = json::parse(probe::to_json(*sensing.snapshot()));
                      machine["spans"] = itt.ok() ? "available" : std::string(itt.message());
                      machine["nanoseconds_per_span"] = spans.nanoseconds_per_span();
                      return absl::StatusOr<serve::Page>(page_of(machine));
                    }});
  return routes;
}

}  // namespace tachostat::app
