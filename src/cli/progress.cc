#include "cli/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <csignal>

namespace tachostat::cli {
namespace {

volatile std::sig_atomic_t caught = 0;

}  // namespace

void catch_interrupt() {
  std::signal(SIGINT, [](int) { caught = 1; });
}

bool interrupted() { return caught != 0; }

Progress::Progress() : terminal_(isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  if (terminal_) fmt::print(stderr, "\r\033[K");
}

void Progress::show(std::string_view line) const {
  if (terminal_) fmt::print(stderr, "\r\033[K{}", line);
}

}  // namespace tachostat::cli
