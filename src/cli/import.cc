#include <fmt/format.h>

#include <memory>

#include "base/log.h"
#include "base/status.h"
#include "cli/cli.h"
#include "cli/export_flags.h"
#include "profile/export.h"
#include "trace/formats/formats.h"

namespace tachostat::cli {
namespace {

struct Flags {
  std::vector<std::string> files;
  std::string from = "auto";
  ExportFlags exported;
};

absl::StatusOr<trace::Import> read(const Flags& flags) {
  std::vector<trace::Import> parts;
  for (const std::string& file : flags.files) {
    TS_ASSIGN_OR_RETURN(trace::Import part, trace::import_file(file, flags.from));
    parts.push_back(std::move(part));
  }
  return trace::combine(std::move(parts));
}

absl::Status run(const Common& common, const Flags& flags) {
  // Opened first: a place that cannot be written is better known before the work than after.
  TS_ASSIGN_OR_RETURN(Report report, Report::open(flags.exported, common.json));
  TS_ASSIGN_OR_RETURN(trace::Import import, read(flags));
  for (const std::string& note : import.notes) spdlog::info("{}", note);
  TS_ASSIGN_OR_RETURN(profile::Profile profile, profile::from_import(import));
  return report.write(std::move(profile), std::move(import.trace), {});
}

std::string formats() {
  std::string text = "the format; auto finds out:";
  for (const trace::Importer* importer : trace::importers()) {
    text += fmt::format("\n{}: {}", importer->name, importer->help);
  }
  return text;
}

}  // namespace

Run add_import(CLI::App& command) {
  auto flags = std::make_shared<Flags>();
  command
      .add_option("files", flags->files,
                  "what another tool wrote; several files of one run are joined by layer")
      ->required();
  command.add_option("--from", flags->from, formats())->capture_default_str();
  flags->exported.add_to(command);
  return [flags, &command](const Common& common) {
    // A file is for other commands to read, unless somebody says otherwise.
    if (!flags->exported.output.empty() && command.count("--format") == 0) {
      flags->exported.format = "json";
    }
    const absl::Status status = run(common, *flags);
    return status.ok() ? kYes : report(status);
  };
}

}  // namespace tachostat::cli
