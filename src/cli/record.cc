#include <fmt/format.h>
#include <string.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/record_run.h"
#include "base/clock.h"
#include "base/status.h"
#include "base/units.h"
#include "cli/cli.h"
#include "cli/export_flags.h"

namespace tachostat::cli {
namespace {

struct Flags {
  std::vector<std::string> command;
  std::string depth = "all";
  std::string duration;
  ExportFlags exported;
};

std::string file_name(const std::string& library) { return library.substr(library.rfind('/') + 1); }

// "ITT libopenvino.so, NVTX lib.so", each once.
std::string short_names(const std::vector<std::string>& libraries) {
  std::vector<std::string> names;
  for (const std::string& library : libraries) {
    std::string name = library.substr(0, library.find(' ')) + " " + file_name(library);
    if (std::find(names.begin(), names.end(), name) == names.end())
      names.push_back(std::move(name));
  }
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

std::vector<std::string> notes_of(const app::RecordRun& run) {
  std::vector<std::string> notes = run.notes;
  if (run.processes.empty()) {
    notes.emplace_back(
        "no library called ITT or NVTX: the command used no instrumented library, or is not "
        "linked dynamically, or dropped its environment");
  } else if (run.spans == 0) {
    notes.emplace_back("libraries called in, but no span ended while they were recorded");
  }
  if (run.dropped > 0) {
    notes.push_back(fmt::format("{} spans were lost: rings were full", run.dropped));
  }
  return notes;
}

std::string ending_of(const app::RecordRun& run) {
  if (run.signal != 0)
    return fmt::format("was ended by signal {} ({})", run.signal, strsignal(run.signal));
  return fmt::format("ended with {}", run.exit_code);
}

void tell(const Flags& flags, bool json, const app::RecordRun& run) {
  const std::vector<std::string> notes = notes_of(run);
  if (json) {
    nlohmann::ordered_json processes = nlohmann::ordered_json::array();
    for (const auto& process : run.processes) {
      processes.push_back({{"pid", process.number},
                           {"name", process.name},
                           {"spans", process.spans},
                           {"ended", process.ended},
                           {"libraries", process.libraries}});
    }
    const nlohmann::ordered_json document = {{"trace", flags.exported.output},
                                             {"format", flags.exported.format},
                                             {"exit_code", run.exit_code},
                                             {"signal", run.signal},
                                             {"spans", run.spans},
                                             {"counters", run.counters},
                                             {"dropped_spans", run.dropped},
                                             {"processes", std::move(processes)},
                                             {"notes", notes}};
    fmt::print("{}\n", document.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    return;
  }
  for (const auto& process : run.processes) {
    fmt::print(stderr, "tachostat: {}/{}: {} spans ({})\n", process.name, process.number,
               process.spans,
               process.libraries.empty() ? "forked" : short_names(process.libraries));
  }
  for (const std::string& note : notes) fmt::print(stderr, "tachostat: {}\n", note);
  fmt::print(stderr, "tachostat: '{}' {}; {} spans in '{}'\n", flags.command[0], ending_of(run),
             run.spans, flags.exported.output);
}

absl::StatusOr<int> run(const Common& common, Flags flags) {
  app::RecordOptions options{.command = flags.command, .depth = flags.depth};
  if (!flags.duration.empty()) {
    TS_ASSIGN_OR_RETURN(options.duration, base::parse_duration(flags.duration));
  }
  // Stdout is the command's.
  if (flags.exported.output.empty()) {
    TS_ASSIGN_OR_RETURN(const profile::Exporter* exporter,
                        profile::exporter_named(flags.exported.format));
    flags.exported.output = fmt::format("recording{}", exporter->extension);
  }
  TS_ASSIGN_OR_RETURN(Report report, Report::open(flags.exported, false));
  const base::SystemClock clock;
  ExportTimes times;
  const std::chrono::nanoseconds begin = clock.unix_time();
  times.trace_to_unix_ns = (begin - clock.now().time_since_epoch()).count();
  times.begin_unix_ns = static_cast<std::uint64_t>(begin.count());
  TS_ASSIGN_OR_RETURN(app::RecordRun recorded, app::record(options));
  times.end_unix_ns = static_cast<std::uint64_t>(clock.unix_time().count());
  profile::Profile profile = app::profile_of(recorded.trace, file_name(flags.command[0]));
  if (recorded.spans > 0) {
    TS_RETURN_IF_ERROR(report.write(std::move(profile), std::move(recorded.trace), times));
  }
  tell(flags, common.json, recorded);
  const bool good = (recorded.exit_code == 0 || recorded.timed_out) && recorded.spans > 0;
  return good ? kYes : kNo;
}

}  // namespace

Run add_record(CLI::App& command) {
  auto flags = std::make_shared<Flags>();
  flags->exported.format = "chrome";
  command.add_option("command", flags->command, "what to run, after --")->required();
  command
      .add_option("--depth", flags->depth,
                  "layers (and requests), kernels (and workers), or all that libraries tell")
      ->check(CLI::IsMember({"layers", "kernels", "all"}))
      ->capture_default_str();
  flags->exported.add_to(command);
  command.add_option("--duration", flags->duration, "end the command after this time, e.g. 30s");
  return [flags](const Common& common) {
    const absl::StatusOr<int> code = run(common, *flags);
    return code.ok() ? *code : report(code.status());
  };
}

}  // namespace tachostat::cli
