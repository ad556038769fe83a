// Runs a program of the user's, which may fail, hang, or print without end.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace tachostat::verify {

struct ProcessOptions {
  std::chrono::milliseconds timeout{600'000};
  std::size_t most_output = std::size_t{1} << 20;  // more is an error
};

// What the program printed. Runs in a process group of its own, which is killed whole at the end,
// whatever the end. Any other end than exit status 0 in time is an error that quotes the last line
// of what it wrote to stderr: FailedPrecondition (failed), DeadlineExceeded, InvalidArgument
// (cannot be started; printed too much). Safe from any thread.
absl::StatusOr<std::string> run_program(const std::vector<std::string>& arguments,
                                        const ProcessOptions& options);

}  // namespace tachostat::verify
