#include "base/log.h"
#include "cli/cli.h"
#include "probe/probe.h"

namespace tachostat::cli {
namespace {

int run(int argc, char** argv) {
  CLI::App parser{"Tachostat: a thermostat for inference speed.", "tachostat"};
  parser.require_subcommand(1);
  parser.set_version_flag("--version", "tachostat 0.1.0");
  Common common;
  parser.add_option("--log", common.log_level, "debug, info, warn, error or off (to stderr)")
      ->capture_default_str();
  parser.fallthrough();

  std::vector<std::pair<CLI::App*, Run>> commands;
  const auto add = [&](const char* name, const char* help, Run (*adder)(CLI::App&)) {
    CLI::App* command = parser.add_subcommand(name, help);
    command->add_flag("--json", common.json, "one JSON document on stdout");
    commands.emplace_back(command, adder(*command));
  };
  add("serve", "serve a model, profile it while it serves, and hold the target", add_serve);
  add("profile", "time every executed layer of a model", add_profile);
  add("diagnose", "say what holds a model or a recorded profile back", add_diagnose);
  add("record", "record a program whose libraries call ITT or NVTX, as it is", add_record);
  add("machine", "what this machine can do, and which sensors work", add_machine);
  add("import", "turn another tool's trace or report into a profile", add_import);
  add("compare", "say whether HEAD is slower than BASE, in total or in a layer", add_compare);
  add("optimize", "find faster variants of a model that are as accurate, and prove them",
      add_optimize);
  add("simulate", "run the governor and its policies against a scenario, in virtual time",
      add_simulate);
  add("top", "watch a running server: layers, sensors, targets", add_top);

  try {
    parser.parse(argc, argv);
  } catch (const CLI::Success& done) {
    return parser.exit(done);
  } catch (const CLI::ParseError& error) {
    parser.exit(error);
    return kBadUsage;
  }
  if (const absl::Status status = base::start_logging(common.log_level); !status.ok()) {
    return report(status);
  }
  for (const auto& [command, body] : commands) {
    if (command->parsed()) return body(common);
  }
  return kBadUsage;
}

}  // namespace
}  // namespace tachostat::cli

int main(int argc, char** argv) {
  // Before anything touches an engine: engines look for their span collector once, when they are
  // loaded.
  tachostat::probe::ensure_itt_environment(argv);
  return tachostat::cli::run(argc, argv);
}
