#include "cli/export_flags.h"

#include <fmt/format.h>
#include <openssl/rand.h>
#include <unistd.h>

#include <array>
#include <iostream>

#include "base/status.h"

namespace tachostat::cli {
namespace {

// Below this a key can be guessed, and with it the names.
constexpr std::size_t kShortestKey = 16;

std::string formats() {
  std::string text = "how to write it:";
  for (const profile::Exporter& exporter : profile::exporters()) {
    text += fmt::format("\n{:<13} {}", exporter.name, exporter.help);
  }
  return text;
}

std::vector<std::string> format_names() {
  std::vector<std::string> names;
  for (const profile::Exporter& exporter : profile::exporters()) names.emplace_back(exporter.name);
  return names;
}

absl::StatusOr<std::string> read_key(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return base::invalid_argument("cannot read the key file '{}'", path);
  std::array<char, 4096> start;
  file.read(start.data(), start.size());
  std::string key(start.data(), static_cast<std::size_t>(file.gcount()));
  while (!key.empty() && (key.back() == '\n' || key.back() == '\r')) key.pop_back();
  if (key.size() < kShortestKey) {
    return base::invalid_argument(
        "the key file '{}' holds {} bytes, expected at least {}: a short key can be guessed", path,
        key.size(), kShortestKey);
  }
  return key;
}

absl::StatusOr<std::string> new_key() {
  std::array<unsigned char, 16> bytes;
  if (RAND_bytes(bytes.data(), bytes.size()) != 1) {
    return base::unavailable("the system gives no random bytes for a key");
  }
  std::string key;
  for (const unsigned char byte : bytes) key += fmt::format("{:02x}", byte);
  fmt::print(stderr,
             "names are hashed with the new key {}; give it as --anonymize-key FILE to get equal "
             "names again\n",
             key);
  return key;
}

}  // namespace

void ExportFlags::add_to(CLI::App& command) {
  // Not shown as {text,json,…} again: the help has a line for each.
  command.add_option("--format", format, formats())
      ->check(CLI::IsMember(format_names()).description(""))
      ->capture_default_str();
  command.add_option("-o,--output", output, "write here instead of stdout");
  command.add_option("--top", top, "only the most expensive layers in text; 0: all, in order")
      ->check(CLI::Range(0, 1'000'000))
      ->capture_default_str();
  command.add_flag("--workers", workers, "in text, also how each layer used the request's threads");
  command.add_flag("--anonymize", anonymize,
                   "replace names by keyed hashes and drop paths; numbers, shapes, operator types "
                   "and kernels stay");
  command.add_option("--anonymize-key", key_file,
                     "a file with the key, 16 bytes or more; without it a new key is made and "
                     "printed to stderr");
}

absl::StatusOr<Report> Report::open(const ExportFlags& flags, bool json) {
  Report report;
  TS_ASSIGN_OR_RETURN(report.exporter_,
                      profile::exporter_named(json ? "json" : std::string_view(flags.format)));
  report.top_ = flags.top;
  report.workers_ = flags.workers;
  if (report.exporter_->binary && flags.output.empty() && isatty(STDOUT_FILENO) == 1) {
    return base::invalid_argument("{} is binary and stdout is a terminal: name a file, -o NAME{}",
                                  report.exporter_->name, report.exporter_->extension);
  }
  if (!flags.output.empty()) {
    report.file_.open(flags.output, std::ios::binary);
    if (!report.file_) return base::invalid_argument("cannot write '{}'", flags.output);
  }
  if (!flags.key_file.empty()) {
    TS_ASSIGN_OR_RETURN(report.key_, read_key(flags.key_file));
  } else if (flags.anonymize) {
    TS_ASSIGN_OR_RETURN(report.key_, new_key());
  }
  return report;
}

absl::Status Report::write(profile::Profile profile, trace::Trace trace, const ExportTimes& times) {
  if (!key_.empty()) {
    profile::anonymize(key_, profile);
    profile::anonymize(key_, trace);
  }
  std::ostream& out = file_.is_open() ? static_cast<std::ostream&>(file_) : std::cout;
  TS_RETURN_IF_ERROR(exporter_->write({.profile = profile,
                                       .trace = trace,
                                       .top = top_,
                                       .workers = workers_,
                                       .begin_unix_ns = times.begin_unix_ns,
                                       .end_unix_ns = times.end_unix_ns,
                                       .trace_to_unix_ns = times.trace_to_unix_ns},
                                      out));
  out.flush();
  return out.good() ? absl::OkStatus()
                    : absl::UnavailableError("the report could not be written whole");
}

}  // namespace tachostat::cli
