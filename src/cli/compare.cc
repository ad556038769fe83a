#include "profile/compare.h"

#include <fmt/format.h>

#include <fstream>
#include <memory>

#include "base/status.h"
#include "base/units.h"
#include "cli/cli.h"
#include "cli/compare_inputs.h"

namespace tachostat::cli {
namespace {

struct Flags {
  std::vector<std::string> sides;
  std::vector<std::string> base, head;
  std::string fail_over = "3%";
  std::string alpha = "1%";
  std::string least_share = "1%";
  bool strict = false;
  std::string junit, markdown;
  int runs = 5;
  std::uint64_t seed = 1;
  ProfileFlags profile;
};

// A file that is known to be writable before the work is done.
class Output {
 public:
  absl::Status open(const std::string& path) {
    if (path.empty()) return absl::OkStatus();
    path_ = path;
    file_.open(path, std::ios::binary);
    return file_ ? absl::OkStatus() : base::invalid_argument("cannot write '{}'", path);
  }
  absl::Status write(const std::string& text) {
    if (path_.empty()) return absl::OkStatus();
    file_ << text << std::flush;
    return file_ ? absl::OkStatus() : base::unavailable("'{}' could not be written whole", path_);
  }

 private:
  std::string path_;
  std::ofstream file_;
};

absl::StatusOr<double> percent(const char* flag, const std::string& text, double most) {
  absl::StatusOr<double> value = base::parse_percent(text);
  if (!value.ok()) return base::with_context(value.status(), flag);
  if (!(*value >= 0 && *value <= most)) {
    return base::invalid_argument("{}: expected 0% to {}%, found '{}'", flag, most * 100, text);
  }
  return value;
}

absl::StatusOr<profile::CompareOptions> options_of(const Flags& flags) {
  profile::CompareOptions options;
  TS_ASSIGN_OR_RETURN(options.fail_over, percent("--fail-over", flags.fail_over, 100));
  TS_ASSIGN_OR_RETURN(options.alpha, percent("--alpha", flags.alpha, 0.5));
  TS_ASSIGN_OR_RETURN(options.least_share, percent("--least-share", flags.least_share, 1));
  if (options.alpha < 1e-6) {
    return base::invalid_argument("--alpha: expected 0.0001% or more, found '{}'", flags.alpha);
  }
  options.seed = flags.seed;
  return options;
}

absl::StatusOr<ComparedRuns> runs_of(const Flags& flags) {
  std::vector<std::string> base = flags.base;
  std::vector<std::string> head = flags.head;
  if (flags.sides.size() == 1) {
    return base::invalid_argument("compare needs two sides, BASE and HEAD; found '{}' alone",
                                  flags.sides[0]);
  }
  if (flags.sides.size() == 2) {
    base.push_back(flags.sides[0]);
    head.push_back(flags.sides[1]);
  }
  if (base.empty() || head.empty()) {
    return base::invalid_argument(
        "compare needs BASE and HEAD: a profile, a folder or a model each");
  }
  std::vector<std::string> models;
  for (const auto& side : {base, head}) {
    for (const std::string& path : side) {
      if (!is_recorded(path)) models.push_back(path);
    }
  }
  if (models.empty()) {
    ComparedRuns runs;
    TS_ASSIGN_OR_RETURN(runs.base, read_runs(base));
    TS_ASSIGN_OR_RETURN(runs.head, read_runs(head));
    return runs;
  }
  if (base.size() != 1 || head.size() != 1 || models.size() != 2) {
    return base::invalid_argument(
        "'{}' is no *.json and no folder, so a model to measure: then both sides must be one model",
        models[0]);
  }
  TS_ASSIGN_OR_RETURN(ComparedRuns runs,
                      measure_runs(base[0], head[0], flags.runs, flags.seed, flags.profile));
  if (runs.interrupted && (runs.base.size() < 2 || runs.head.size() < 2)) {
    return absl::CancelledError("interrupted before each side had two whole runs");
  }
  return runs;
}

absl::StatusOr<int> run(const Common& common, const Flags& flags) {
  TS_ASSIGN_OR_RETURN(const profile::CompareOptions options, options_of(flags));
  Output junit;
  Output markdown;
  TS_RETURN_IF_ERROR(junit.open(flags.junit));
  TS_RETURN_IF_ERROR(markdown.open(flags.markdown));
  TS_ASSIGN_OR_RETURN(const ComparedRuns runs, runs_of(flags));
  TS_ASSIGN_OR_RETURN(profile::Comparison result, profile::compare(runs.base, runs.head, options));
  if (runs.interrupted) result.notes.emplace_back("interrupted: fewer runs than asked for");
  if (flags.strict && !result.differences.empty()) {
    return base::failed_precondition("--strict: {}", result.differences[0]);
  }
  fmt::print("{}", common.json ? profile::to_json(result) + "\n" : profile::to_text(result));
  TS_RETURN_IF_ERROR(junit.write(profile::to_junit(result)));
  TS_RETURN_IF_ERROR(markdown.write(profile::to_markdown(result)));
  return result.regressed() ? kNo : kYes;
}

}  // namespace

Run add_compare(CLI::App& command) {
  auto flags = std::make_shared<Flags>();
  flags->profile.depth = "layers";
  command
      .add_option(
          "sides", flags->sides,
          "BASE and HEAD: each a profile (*.json), a folder of profiles of several runs, or "
          "each a model, which are then measured in turns")
      ->expected(0, 2);
  command.add_option("--base", flags->base, "a profile of BASE; may be given for each run")
      ->allow_extra_args(false);
  command.add_option("--head", flags->head, "a profile of HEAD; may be given for each run")
      ->allow_extra_args(false);
  command.add_option("--fail-over", flags->fail_over, "slower by less is no regression")
      ->capture_default_str();
  command
      .add_option("--alpha", flags->alpha,
                  "chance of any false regression, over the total and all layers")
      ->capture_default_str();
  command
      .add_option("--least-share", flags->least_share,
                  "of request time; a layer below it is not tested")
      ->capture_default_str();
  command.add_flag("--strict", flags->strict,
                   "refuse sides that differ in more than the model, and single runs");
  command.add_option("--junit", flags->junit, "write a JUnit report here");
  command.add_option("--markdown", flags->markdown, "write a table for a comment here");
  command.add_option("--runs", flags->runs, "of each model, when models are measured")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command.add_option("--seed", flags->seed, "of the order of the runs, and of resampling")
      ->capture_default_str();
  flags->profile.add_options_to(command);
  return [flags](const Common& common) {
    const absl::StatusOr<int> code = run(common, *flags);
    return code.ok() ? *code : report(code.status());
  };
}

}  // namespace tachostat::cli
