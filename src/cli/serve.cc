#include <fmt/format.h>
#include <signal.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "app/app.h"
#include "app/engines.h"
#include "app/frontier_folder.h"
#include "app/roofline.h"
#include "base/log.h"
#include "base/status.h"
#include "base/units.h"
#include "cli/cli.h"
#include "probe/probe.h"

namespace tachostat::cli {
namespace {

struct ServeFlags {
  std::string model;
  std::string model_file;
  std::string name;
  std::string p99;
  std::string max_drop = "1%";
  std::string learn = "on";
  std::string policy = "predictive";
  bool shed = false;
  std::string probe = "sampled";
  std::string probe_budget = "0.5%";
  std::string max_body = "256MiB";
  std::string http = "127.0.0.1:8000";
  std::string grpc = "127.0.0.1:8001";
  std::string store;
  std::string otlp;
  std::string otlp_interval = "10s";
  std::vector<std::string> shapes;
  VariantFlags variant;
};

absl::StatusOr<app::AppOptions> options_of(const ServeFlags& flags) {
  app::AppOptions options;
  options.http = flags.http;
  options.grpc = flags.grpc;
  options.store = flags.store;
  options.model_path = flags.model;
  options.otlp.endpoint = flags.otlp;
  TS_ASSIGN_OR_RETURN(options.otlp.period, base::parse_duration(flags.otlp_interval));
  if (options.otlp.period < std::chrono::milliseconds(100)) {
    return base::invalid_argument("--otlp-interval {}: expected 100ms or more",
                                  flags.otlp_interval);
  }
  options.model.name = flags.name;
  TS_ASSIGN_OR_RETURN(options.model.start, flags.variant.variant());
  TS_ASSIGN_OR_RETURN(options.model.start.shapes, parse_shapes(flags.shapes));
  if (!flags.p99.empty()) {
    TS_ASSIGN_OR_RETURN(options.model.targets.p99, base::parse_duration(flags.p99));
  }
  TS_ASSIGN_OR_RETURN(options.model.targets.max_drop, base::parse_percent(flags.max_drop));
  TS_ASSIGN_OR_RETURN(options.model.probe_budget, base::parse_percent(flags.probe_budget));
  TS_ASSIGN_OR_RETURN(options.limits.max_body, base::parse_size(flags.max_body));
  options.model.learn = flags.learn == "on"       ? govern::Learn::kOn
                        : flags.learn == "shadow" ? govern::Learn::kShadow
                                                  : govern::Learn::kOff;
  options.model.policy = flags.policy;
  options.model.shed = flags.shed;
  options.model.probe = flags.probe == "off"       ? app::ProbeMode::kOff
                        : flags.probe == "sampled" ? app::ProbeMode::kSampled
                                                   : app::ProbeMode::kAlways;
  return options;
}

void print_ready(const Common& common, app::App& app) {
  if (common.json) {
    const nlohmann::json line = {{"http", app.http_address()},
                                 {"grpc", app.grpc_address()},
                                 {"model", app.model().name()},
                                 {"pid", getpid()}};
    fmt::print("{}\n", line.dump());
  } else {
    fmt::print(
        "Serving '{}'\n  HTTP  http://{}/v2/models/{}\n  gRPC  {}\n  state "
        "http://{}/tachostat/v1/models/{}\n"
        "Stop with Ctrl-C.\n",
        app.model().name(), app.http_address(), app.model().name(), app.grpc_address(),
        app.http_address(), app.model().name());
  }
  std::fflush(stdout);
}

// The signals must be blocked before any thread is started, so that only sigwait() gets them.
sigset_t block_stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

// The fastest proved variant starts; the others are the frontier.
absl::Status start_from_folder(const ServeFlags& flags, const engine::Engine& engine,
                               app::AppOptions& options) {
  TS_ASSIGN_OR_RETURN(app::FrontierFolder folder,
                      app::read_frontier(flags.model, flags.model_file, options.model.machine,
                                         engine.capabilities().version));
  options.model_path = folder.model_path;
  const double most = options.model.targets.max_drop;
  for (const verify::Point& point : folder.verified) {
    if (point.drop_bound > most) continue;
    options.model.start = point.variant;
    break;
  }
  options.model.verified = std::move(folder.verified);
  options.model.unproved = std::move(folder.unproved);
  return absl::OkStatus();
}

absl::StatusOr<int> serve(const Common& common, const ServeFlags& flags) {
  const sigset_t signals = block_stop_signals();
  TS_ASSIGN_OR_RETURN(app::AppOptions options, options_of(flags));
  TS_ASSIGN_OR_RETURN(const auto engine, app::make_engine(flags.variant.engine));
  probe::SpanSource& spans = probe::itt_source();
  if (const absl::Status status = spans.available(); !status.ok()) {
    spdlog::warn("no layer spans: {}", status.message());
  }
  if (options.model.learn != govern::Learn::kOff) {
    options.model.roofline = app::roofline(engine->capabilities().hardware_threads);
  }
  options.model.machine = app::this_machine().hash();
  if (app::is_frontier_folder(flags.model)) {
    TS_RETURN_IF_ERROR(start_from_folder(flags, *engine, options));
  }
  base::SystemClock clock;
  TS_ASSIGN_OR_RETURN(const auto app, app::App::Create(clock, *engine, spans, std::move(options)));
  print_ready(common, *app);
  int signal = 0;
  sigwait(&signals, &signal);
  spdlog::info("stopping: answering what was accepted");
  // A second signal is no longer held back: it ends the process at once.
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  if (!app->stop()) {
    spdlog::error("stopped before everything was answered");
    spdlog::default_logger()->flush();
    // Destructors would wait for an engine that may never come back.
    std::_Exit(kFailed);
  }
  spdlog::info("stopped: everything accepted was answered");
  return kYes;
}

}  // namespace

Run add_serve(CLI::App& command) {
  auto flags = std::make_shared<ServeFlags>();
  command
      .add_option("model", flags->model,
                  "a model file: ONNX, OpenVINO IR, TFLite, …; or a folder that `optimize` made")
      ->required();
  command.add_option("--model", flags->model_file,
                     "with a folder: the model's file, when it is no longer where it was");
  command.add_option("--name", flags->name,
                     "the model's name on the wire; its file's stem by default");
  command.add_option("--p99", flags->p99, "latency target, e.g. 20ms");
  command
      .add_option("--max-drop", flags->max_drop, "largest share of labels that may differ from f32")
      ->capture_default_str();
  command.add_option("--learn", flags->learn, "on, shadow (try, never switch) or off")
      ->check(CLI::IsMember({"on", "shadow", "off"}))
      ->capture_default_str();
  std::vector<std::string> policies;
  for (const govern::PolicyEntry& policy : govern::policies()) policies.emplace_back(policy.name);
  command.add_option("--policy", flags->policy, "how the serving variant is chosen")
      ->check(CLI::IsMember(policies))
      ->capture_default_str();
  command.add_flag("--shed", flags->shed,
                   "refuse at once what would be answered later than the p99 target");
  command.add_option("--probe", flags->probe, "which requests are profiled")
      ->check(CLI::IsMember({"off", "sampled", "always"}))
      ->capture_default_str();
  command
      .add_option("--probe-budget", flags->probe_budget,
                  "largest share of time that sampling may cost")
      ->capture_default_str();
  command.add_option("--max-body", flags->max_body, "largest request")->capture_default_str();
  command.add_option("--http", flags->http, "host:port; port 0: any; empty: no HTTP")
      ->capture_default_str();
  command.add_option("--grpc", flags->grpc, "host:port; port 0: any; empty: no gRPC")
      ->capture_default_str();
  command.add_option("--store", flags->store,
                     "directory for decisions and trials; in memory by default");
  command.add_option("--otlp", flags->otlp,
                     "push metrics and looked-at requests to this OpenTelemetry collector, e.g. "
                     "http://127.0.0.1:4318");
  command.add_option("--otlp-interval", flags->otlp_interval, "how often")->capture_default_str();
  command
      .add_option("--shape", flags->shapes,
                  "compile for, and accept, only this shape of an input, e.g. x[1,3,48,320]")
      ->allow_extra_args(false);
  flags->variant.add_to(command);
  return [flags](const Common& common) {
    const absl::StatusOr<int> code = serve(common, *flags);
    return code.ok() ? *code : report(code.status());
  };
}

}  // namespace tachostat::cli
