#include "verify/metrics/process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "base/status.h"
#include "verify/data/temporary.h"

extern char** environ;  // NOLINT(readability-redundant-declaration): POSIX leaves it to us

namespace tachostat::verify {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kKeptErrors = 4096;

struct Pipe {
  Descriptor read, write;
};

absl::StatusOr<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    return base::unavailable("cannot make a pipe: {}", std::strerror(errno));
  }
  fcntl(ends[0], F_SETFL, O_NONBLOCK);
  return Pipe{Descriptor(ends[0]), Descriptor(ends[1])};
}

absl::StatusOr<pid_t> start(std::vector<std::string> words, const Pipe& out, const Pipe& err) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&files, out.write.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&files, err.write.get(), STDERR_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
  pid_t child = 0;
  const int error =
      posix_spawnp(&child, arguments[0], &files, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  if (error == 0) return child;
  return base::invalid_argument("cannot run '{}': {}", words[0], std::strerror(error));
}

// Takes what is there now.
void drain(const Descriptor& pipe, std::string& into) {
  std::array<char, 1 << 14> piece;
  while (true) {
    const ssize_t got = read(pipe.get(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return;
    into.append(piece.data(), static_cast<std::size_t>(got));
    // A program that prints without end must not keep us here.
    if (into.size() > (std::size_t{64} << 20)) return;
  }
}

enum class End { kExited, kLate, kTooMuch };

struct Running {
  Pipe out, err;
  std::string printed = {}, errors = {};
  bool out_open = true, err_open = true;

  // Until the child has ended, which its descriptor tells, or must be ended.
  End watch(const Descriptor& child, const ProcessOptions& options) {
    const auto until = Clock::now() + options.timeout;
    while (true) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
      if (left.count() <= 0) return End::kLate;
      std::array<pollfd, 3> events = {pollfd{child.get(), POLLIN, 0},
                                      pollfd{out_open ? out.read.get() : -1, POLLIN, 0},
                                      pollfd{err_open ? err.read.get() : -1, POLLIN, 0}};
      const auto wait = std::min<std::int64_t>(left.count() + 1, 3'600'000);
      if (poll(events.data(), events.size(), static_cast<int>(wait)) < 0) continue;
      take();
      // A closed pipe stays "ready": no longer asked.
      out_open = out_open && (events[1].revents & (POLLHUP | POLLERR)) == 0;
      err_open = err_open && (events[2].revents & (POLLHUP | POLLERR)) == 0;
      if (printed.size() > options.most_output) return End::kTooMuch;
      if (events[0].revents != 0) {
        take();
        return printed.size() > options.most_output ? End::kTooMuch : End::kExited;
      }
    }
  }

  void take() {
    drain(out.read, printed);
    drain(err.read, errors);
    if (errors.size() > kKeptErrors) errors.erase(0, errors.size() - kKeptErrors);
  }
};

std::string last_line(std::string_view text) {
  while (text.ends_with('\n') || text.ends_with('\r') || text.ends_with(' ')) {
    text.remove_suffix(1);
  }
  const std::size_t begin = text.rfind('\n');
  return std::string(begin == std::string_view::npos ? text : text.substr(begin + 1));
}

absl::Status failure(End end, int status, const ProcessOptions& options, std::string_view errors) {
  const std::string line = last_line(errors);
  const std::string said = line.empty() ? "; it wrote nothing to stderr"
                                        : fmt::format("; the last of its stderr: {}", line);
  if (end == End::kLate) {
    return absl::DeadlineExceededError(
        fmt::format("not done after {} s, ended{}",
                    std::chrono::duration<double>(options.timeout).count(), said));
  }
  if (end == End::kTooMuch) {
    return base::invalid_argument("printed more than {} bytes, ended{}", options.most_output, said);
  }
  if (WIFSIGNALED(status)) {
    return base::failed_precondition("ended by signal {} ({}){}", WTERMSIG(status),
                                     strsignal(WTERMSIG(status)), said);
  }
  return base::failed_precondition("failed with exit status {}{}", WEXITSTATUS(status), said);
}

}  // namespace

absl::StatusOr<std::string> run_program(const std::vector<std::string>& arguments,
                                        const ProcessOptions& options) {
  TS_ASSIGN_OR_RETURN(Pipe out, make_pipe());
  TS_ASSIGN_OR_RETURN(Pipe err, make_pipe());
  TS_ASSIGN_OR_RETURN(const pid_t child, start(arguments, out, err));
  out.write = Descriptor();
  err.write = Descriptor();
  // By system call: this C library's wrapper is newer than some that we build on.
  const Descriptor handle(static_cast<int>(syscall(SYS_pidfd_open, child, 0)));
  Running running{.out = std::move(out), .err = std::move(err)};
  const End end = handle.get() >= 0 ? running.watch(handle, options) : End::kLate;
  // The group first, while the unreaped child keeps its number from being given away.
  kill(-child, SIGKILL);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (end == End::kExited && WIFEXITED(status) && WEXITSTATUS(status) == 0) {
    return std::move(running.printed);
  }
  return failure(end, status, options, running.errors);
}

}  // namespace tachostat::verify
