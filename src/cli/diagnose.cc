#include <fmt/format.h>

#include <memory>

#include "app/profile_run.h"
#include "app/roofline.h"
#include "base/status.h"
#include "cli/cli.h"
#include "diagnose/diagnose.h"

namespace tachostat::cli {
namespace {

absl::Status run(const Common& common, const ProfileFlags& flags) {
  profile::Profile profile;
  if (flags.model.ends_with(".json")) {
    TS_ASSIGN_OR_RETURN(profile, read_profile(flags.model));
  } else {
    TS_ASSIGN_OR_RETURN(app::ProfileRun run, profile_model(flags));
    profile = std::move(run.profile);
  }
  const profile::Roofline roofline = app::roofline(profile.threads * profile.streams);
  const auto findings = diagnose::diagnose(profile, roofline);
  fmt::print("{}", common.json ? diagnose::to_json(findings) + "\n" : diagnose::to_text(findings));
  return absl::OkStatus();
}

}  // namespace

Run add_diagnose(CLI::App& command) {
  auto flags = std::make_shared<ProfileFlags>();
  flags->add_to(command);
  return [flags](const Common& common) {
    const absl::Status status = run(common, *flags);
    return status.ok() ? kYes : report(status);
  };
}

}  // namespace tachostat::cli
