#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/status.h"
#include "base/units.h"
#include "profile/profile.h"
#include "simulate/simulate.h"
#include "simulate/toml_table.h"

namespace tachostat::simulate {
namespace {

namespace fs = std::filesystem;

constexpr double kMost = std::numeric_limits<double>::max();
constexpr base::Duration kLongest = std::chrono::hours(24 * 366);

template <class Kind, std::size_t count>
Kind choice(TomlTable& table, const std::string& key, const std::string& otherwise,
            const std::array<std::pair<std::string_view, Kind>, count>& known) {
  const std::string name = table.text(key, otherwise);
  std::string names;
  for (const auto& [each, kind] : known) {
    if (name == each) return kind;
    names += (names.empty() ? "" : ", ") + std::string(each);
  }
  table.fail(key, "one of " + names);
  return known.front().second;
}

constexpr std::array<std::pair<std::string_view, Event::Kind>, 6> kEvents = {
    {{"slow", Event::Kind::kSlow},
     {"cores", Event::Kind::kCores},
     {"taken", Event::Kind::kTaken},
     {"fail", Event::Kind::kFail},
     {"hang", Event::Kind::kHang},
     {"down", Event::Kind::kDown}}};
constexpr std::array<std::pair<std::string_view, Arrivals::Kind>, 7> kArrivals = {
    {{"poisson", Arrivals::Kind::kPoisson},
     {"markov", Arrivals::Kind::kMarkov},
     {"pareto", Arrivals::Kind::kPareto},
     {"ramp", Arrivals::Kind::kRamp},
     {"diurnal", Arrivals::Kind::kDiurnal},
     {"replay", Arrivals::Kind::kReplay},
     {"closed", Arrivals::Kind::kClosed}}};
constexpr std::array<std::pair<std::string_view, Routing>, 3> kRoutings = {
    {{"two-choices", Routing::kTwoChoices},
     {"round-robin", Routing::kRoundRobin},
     {"random", Routing::kRandom}}};
constexpr std::array<std::pair<std::string_view, govern::Learn>, 3> kLearns = {
    {{"off", govern::Learn::kOff}, {"shadow", govern::Learn::kShadow}, {"on", govern::Learn::kOn}}};

absl::StatusOr<std::string> contents_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return base::not_found("cannot read '{}'", path.string());
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// One time in seconds a line; what follows a '#' is a remark.
absl::StatusOr<std::vector<base::Duration>> read_times(const fs::path& path) {
  TS_ASSIGN_OR_RETURN(const std::string text, contents_of(path));
  std::istringstream lines(text);
  std::vector<base::Duration> times;
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    line.erase(std::min(line.find('#'), line.size()));
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    std::istringstream words(line);
    double seconds = -1;
    std::string more;
    if (!(words >> seconds) || words >> more || !(seconds >= 0 && seconds < 1e9)) {
      return base::invalid_argument("'{}', line {}: expected seconds since the begin, found '{}'",
                                    path.string(), number, line);
    }
    times.push_back(base::from_seconds(seconds));
  }
  std::sort(times.begin(), times.end());
  if (times.empty()) return base::invalid_argument("'{}' holds no times", path.string());
  return times;
}

class Reader {
 public:
  explicit Reader(fs::path path) : path_(std::move(path)) {}

  absl::StatusOr<Scenario> read() {
    TS_ASSIGN_OR_RETURN(const std::string text, contents_of(path_));
    const toml::parse_result parsed = toml::parse(text, path_.string());
    if (!parsed) {
      const toml::source_region& place = parsed.error().source();
      return base::invalid_argument("'{}', line {}: {}", path_.string(), place.begin.line,
                                    parsed.error().description());
    }
    TomlTable root(parsed.table(), path_.filename().string(), error_);
    Scenario scenario = scenario_of(root);
    TS_RETURN_IF_ERROR(error_);
    return scenario;
  }

 private:
  Scenario scenario_of(TomlTable& root) {
    Scenario scenario;
    scenario.name = root.text("name", path_.stem().string());
    scenario.duration = root.duration("duration", scenario.duration);
    scenario.warm_up = root.duration("warm_up", scenario.warm_up);
    scenario.seed = static_cast<std::uint64_t>(
        root.integer("seed", 0, std::numeric_limits<std::int64_t>::max(), 1));
    scenario.nodes = static_cast<int>(root.integer("nodes", 1, 100000, 1));
    scenario.cores = root.number("cores", 0.01, 4096, 1);
    scenario.routing = choice(root, "routing", "two-choices", kRoutings);
    for (TomlTable& table : root.tables("model")) scenario.models.push_back(model_of(table));
    for (TomlTable& table : root.tables("event")) {
      scenario.events.push_back(event_of(table, scenario));
    }
    if (scenario.models.empty()) root.fail("model", "at least one [[model]]");
    if (scenario.duration > kLongest) root.fail("duration", "a year at most");
    if (scenario.duration <= scenario.warm_up) root.fail("duration", "more than warm_up");
    root.no_more();
    return scenario;
  }

  SimulatedModel model_of(TomlTable& table) {
    SimulatedModel model;
    model.name = table.text("name");
    model.targets.p99 = table.duration("p99");
    model.targets.max_drop = table.percent("max_drop", model.targets.max_drop);
    model.deadline = table.duration("deadline");
    model.policy = table.text("policy", model.policy);
    if (const auto policy = govern::make_policy(model.policy, 1); !policy.ok()) {
      keep(base::with_context(policy.status(), table.where()));
    }
    model.learn = choice(table, "learn", "off", kLearns);
    model.step = table.duration("step", model.step);
    model.window = table.duration("window", model.window);
    model.queue_limit = static_cast<int>(table.integer("queue_limit", 1, 1 << 20, 256));
    model.shed = table.flag("shed", false);
    model.least_hang = table.duration("least_hang", model.least_hang);
    if (table.has("attain")) model.attain = table.percent("attain", 0);
    for (TomlTable& each : table.tables("variant")) model.variants.push_back(variant_of(each));
    for (TomlTable& each : table.tables("arrivals")) model.arrivals.push_back(arrivals_of(each));
    for (TomlTable& each : table.tables("class")) model.classes.push_back(class_of(each));
    if (model.classes.empty()) model.classes.push_back({.name = "all"});
    if (model.variants.empty()) table.fail("variant", "at least one [[model.variant]]");
    if (model.arrivals.empty()) table.fail("arrivals", "at least one [[model.arrivals]]");
    model.start = table.text("start", model.variants.empty() ? "" : model.variants.front().name);
    if (model.find(model.start) == nullptr) table.fail("start", "the name of a variant");
    if (!model.targets.p99 && !model.deadline) {
      table.fail("p99", "a p99 target or a deadline, within which answers count");
    }
    if (model.step <= base::Duration(0)) table.fail("step", "a duration over 0");
    if (model.window < model.step) table.fail("window", "a step or more");
    table.no_more();
    return model;
  }

  SimulatedVariant variant_of(TomlTable& table) {
    SimulatedVariant variant;
    variant.name = table.text("name");
    if (variant.name.empty() || variant.name.find('.') != std::string::npos) {
      table.fail("name", "a name without dots");
    }
    variant.threads = static_cast<int>(table.integer("threads", 1, 4096, 1));
    variant.streams = static_cast<int>(table.integer("streams", 1, 4096, 1));
    variant.batch = static_cast<int>(table.integer("batch", 1, 1024, 1));
    variant.verified = table.flag("verified", true);
    variant.drop_bound = table.percent("drop", 0);
    variant.label_error = table.percent("label_errors", variant.drop_bound);
    variant.failures = table.percent("failures", 0);
    variant.memory_bytes = table.size("memory", 0);
    variant.load_time = table.duration("load_time", variant.load_time);
    variant.service = service_of(table);
    if (variant.streams > variant.threads) table.fail("streams", "no more than threads");
    table.no_more();
    return variant;
  }

  Service service_of(TomlTable& table) {
    Service service;
    service.noise = table.number("noise", 0, 3, service.noise);
    if (table.has("profile")) {
      const fs::path path = path_.parent_path() / table.text("profile");
      const auto profile = profile_at(path);
      if (!profile.ok()) {
        keep(base::with_context(profile.status(), table.where()));
        return service;
      }
      service.measured = profile->request_time;
      const auto median = static_cast<std::int64_t>(service.measured.quantile(0.5));
      service.by_batch = {base::Duration(std::max<std::int64_t>(1, median))};
      if (table.has("service")) service.by_batch = table.durations("service");
      return service;
    }
    service.by_batch = table.durations("service");
    return service;
  }

  static absl::StatusOr<profile::Profile> profile_at(const fs::path& path) {
    TS_ASSIGN_OR_RETURN(const std::string text, contents_of(path));
    TS_ASSIGN_OR_RETURN(profile::Profile profile, profile::from_json(text));
    if (profile.request_time.count() > 0) return profile;
    return base::invalid_argument("'{}' has no times of requests", path.string());
  }

  Arrivals arrivals_of(TomlTable& table) {
    Arrivals law;
    law.kind = choice(table, "kind", "poisson", kArrivals);
    law.begin = table.duration("begin", law.begin);
    law.end = table.duration("end", law.end);
    if (law.end <= law.begin) table.fail("end", "later than begin");
    switch (law.kind) {
      case Arrivals::Kind::kPoisson:
        law.rate = table.number("rate", 1e-9, 1e9);
        break;
      case Arrivals::Kind::kPareto:
        law.rate = table.number("rate", 1e-9, 1e9);
        law.shape = table.number("shape", 1.01, 100, law.shape);
        break;
      case Arrivals::Kind::kRamp:
        law.rate = table.number("rate", 0, 1e9);
        law.to_rate = table.number("to_rate", 0, 1e9);
        break;
      case Arrivals::Kind::kDiurnal:
        law.rate = table.number("rate", 1e-9, 1e9);
        law.swing = table.number("swing", 0, 1, law.swing);
        law.period = table.duration("period", law.period);
        if (law.period <= base::Duration(0)) table.fail("period", "a duration over 0");
        break;
      case Arrivals::Kind::kMarkov:
        law.rates = table.numbers("rates");
        law.stays = table.durations("stays");
        if (law.rates.size() != law.stays.size() || law.rates.size() < 2) {
          table.fail("stays", "as many as rates, two or more");
        }
        break;
      case Arrivals::Kind::kReplay: {
        const auto times = read_times(path_.parent_path() / table.text("file"));
        if (times.ok()) law.times = *times;
        if (!times.ok()) keep(base::with_context(times.status(), table.where()));
        break;
      }
      case Arrivals::Kind::kClosed:
        law.clients = static_cast<int>(table.integer("clients", 1, 1 << 20, 1));
        law.think = table.duration("think", law.think);
        break;
    }
    table.no_more();
    return law;
  }

  static RequestClass class_of(TomlTable& table) {
    RequestClass result;
    result.name = table.text("name");
    result.share = table.number("share", 1e-9, kMost);
    result.deadline = table.duration("deadline");
    table.no_more();
    return result;
  }

  static Event event_of(TomlTable& table, const Scenario& scenario) {
    Event event;
    event.kind = choice(table, "kind", "slow", kEvents);
    event.at = table.duration("at", event.at);
    event.until = table.duration("until", event.until);
    event.node = static_cast<int>(table.integer("node", 0, scenario.nodes - 1, -1));
    const bool of_engine = event.kind == Event::Kind::kFail || event.kind == Event::Kind::kHang;
    if (of_engine) event.variant = table.text("variant", "");
    if (event.kind == Event::Kind::kSlow) event.value = table.number("times", 0.01, 1000);
    if (event.kind == Event::Kind::kCores || event.kind == Event::Kind::kTaken) {
      event.value = table.number("cores", 0, 4096);
    }
    if (event.kind == Event::Kind::kFail) event.value = table.percent("share", 1);
    if (event.until <= event.at) table.fail("until", "later than at");
    table.no_more();
    return event;
  }

  void keep(const absl::Status& status) {
    if (error_.ok()) error_ = status;
  }

  const fs::path path_;
  absl::Status error_;
};

}  // namespace

std::string_view name_of(Event::Kind kind) {
  for (const auto& [name, each] : kEvents) {
    if (each == kind) return name;
  }
  return "unknown";
}

base::Duration SimulatedModel::limit(const RequestClass& each) const {
  if (each.deadline) return *each.deadline;
  if (deadline) return *deadline;
  return targets.p99.value_or(base::Duration::max());
}

const SimulatedVariant* SimulatedModel::find(std::string_view variant) const {
  for (const SimulatedVariant& each : variants) {
    if (each.name == variant) return &each;
  }
  return nullptr;
}

absl::StatusOr<Scenario> read_scenario(const std::string& path) { return Reader(path).read(); }

}  // namespace tachostat::simulate
