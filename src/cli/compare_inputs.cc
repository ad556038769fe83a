#include "cli/compare_inputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/status.h"
#include "cli/progress.h"

namespace tachostat::cli {
namespace {

absl::StatusOr<std::vector<std::string>> files_of(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end;
       at.increment(error)) {
    if (at->path().extension() == ".json") files.push_back(at->path().string());
  }
  if (error) return base::not_found("cannot read the folder '{}': {}", folder, error.message());
  if (files.empty()) {
    return base::invalid_argument(
        "'{}' holds no *.json: expected profiles as `tachostat profile --json` writes them",
        folder);
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

bool is_recorded(const std::string& path) {
  std::error_code ignored;
  return path.ends_with(".json") || std::filesystem::is_directory(path, ignored);
}

absl::StatusOr<std::vector<profile::ComparedRun>> read_runs(const std::vector<std::string>& paths) {
  std::vector<profile::ComparedRun> runs;
  std::error_code ignored;
  for (const std::string& path : paths) {
    std::vector<std::string> files{path};
    if (std::filesystem::is_directory(path, ignored)) {
      TS_ASSIGN_OR_RETURN(files, files_of(path));
    }
    for (const std::string& file : files) {
      TS_ASSIGN_OR_RETURN(profile::Profile profile, read_profile(file));
      runs.push_back({file, std::move(profile)});
    }
  }
  return runs;
}

absl::StatusOr<ComparedRuns> measure_runs(const std::string& base, const std::string& head,
                                          int runs, std::uint64_t seed, ProfileFlags flags) {
  ComparedRuns result;
  for (int i = 0; i < 2 * runs; ++i) {
    // The first of each pair is the second of the one before: slow drift hits both sides alike.
    const bool second = i % 2 == 1;
    const bool turned = (i / 2) % 2 == 1;
    const bool is_base = (second != turned) != (seed % 2 == 1);
    flags.model = is_base ? base : head;
    const std::string label =
        fmt::format("run {} of {}, {}: ", i + 1, 2 * runs, is_base ? "BASE" : "HEAD");
    TS_ASSIGN_OR_RETURN(app::ProfileRun run, profile_model(flags, label));
    if (interrupted()) {
      result.interrupted = true;
      break;
    }
    (is_base ? result.base : result.head)
        .push_back({fmt::format("run {} of '{}'", i + 1, flags.model), std::move(run.profile)});
  }
  return result;
}

}  // namespace tachostat::cli
