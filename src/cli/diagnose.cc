#include <fmt/format.h>

#include <memory>
#include <optional>

#include "app/profile_run.h"
#include "app/roofline.h"
#include "base/log.h"
#include "base/status.h"
#include "cli/cli.h"
#include "diagnose/diagnose.h"

namespace tachostat::cli {
namespace {

struct Flags {
  ProfileFlags profile;
  std::string baseline;
  std::string roofline;
  bool rules = false;
};

absl::StatusOr<profile::Roofline> roofline_for(const Flags& flags,
                                               const profile::Profile& profile) {
  if (!flags.roofline.empty()) {
    TS_ASSIGN_OR_RETURN(const std::string text, read_file(flags.roofline));
    auto roofline = profile::roofline_from_json(text);
    return roofline.ok() ? roofline : base::with_context(roofline.status(), flags.roofline);
  }
  const std::string machine = app::this_machine().hash();
  if (profile.machine != machine) {
    spdlog::info(
        "the profile was not taken on this machine: rules that hold it against a roofline are "
        "silent; --roofline names its own (`tachostat machine --json` there)");
    return diagnose::applicable({}, machine, profile);
  }
  return app::roofline(profile.threads * profile.streams);
}

absl::Status run(const Common& common, const Flags& flags) {
  if (flags.rules) {
    fmt::print("{}", diagnose::rules_markdown());
    return absl::OkStatus();
  }
  if (flags.profile.model.empty()) {
    return base::invalid_argument("expected a profile, a model or a server's address");
  }
  std::optional<profile::Profile> baseline;
  if (!flags.baseline.empty()) {
    TS_ASSIGN_OR_RETURN(baseline, read_profile(flags.baseline));
  }
  profile::Profile profile;
  if (flags.profile.model.ends_with(".json")) {
    TS_ASSIGN_OR_RETURN(profile, read_profile(flags.profile.model));
  } else {
    TS_ASSIGN_OR_RETURN(app::ProfileRun run, profile_model(flags.profile));
    profile = std::move(run.profile);
  }
  TS_ASSIGN_OR_RETURN(const profile::Roofline roofline, roofline_for(flags, profile));
  const auto findings = diagnose::diagnose(profile, roofline, baseline ? &*baseline : nullptr);
  fmt::print("{}", common.json ? diagnose::to_json(findings) + "\n" : diagnose::to_text(findings));
  return absl::OkStatus();
}

}  // namespace

Run add_diagnose(CLI::App& command) {
  auto flags = std::make_shared<Flags>();
  flags->profile.add_to(command);
  command.get_option("model")->required(false)->description(
      "a profile (.json), a model file, or a running server, http://HOST:PORT");
  command.add_option("--baseline", flags->baseline,
                     "a profile of how it was: says what has changed, layer by layer");
  command.add_option("--roofline", flags->roofline,
                     "of the machine that the profile was taken on, when it is not this one");
  command.add_flag("--rules", flags->rules, "print every rule with its threshold and source");
  return [flags](const Common& common) {
    const absl::Status status = run(common, *flags);
    return status.ok() ? kYes : report(status);
  };
}

}  // namespace tachostat::cli
