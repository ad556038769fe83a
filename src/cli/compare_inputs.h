// The two sides of `compare`: profiles that were recorded, or models that are measured now.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/cli.h"
#include "profile/compare.h"

namespace tachostat::cli {

struct ComparedRuns {
  std::vector<profile::ComparedRun> base, head;
  bool interrupted = false;  // fewer runs than asked for
};

// A profile's file, or a folder of them.
bool is_recorded(const std::string& path);
// Of files, and of all *.json of folders, by name.
absl::StatusOr<std::vector<profile::ComparedRun>> read_runs(const std::vector<std::string>& paths);

// Measures two models `runs` times each, A B B A A B …; an odd seed begins with BASE. A SIGINT ends
// it early, with the runs that are whole.
absl::StatusOr<ComparedRuns> measure_runs(const std::string& base, const std::string& head,
                                          int runs, std::uint64_t seed, ProfileFlags flags);

}  // namespace tachostat::cli
