#include "app/record_run.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <set>
#include <string_view>

#include "base/status.h"
#include "probe/itt/collector.h"
#include "trace/formats/recording.h"

extern char** environ;  // NOLINT(readability-redundant-declaration): POSIX leaves it to us

namespace tachostat::app {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kPatience = std::chrono::seconds(10);

class TemporaryFolder {
 public:
  static absl::StatusOr<TemporaryFolder> create() {
    std::error_code error;
    const auto base = std::filesystem::temp_directory_path(error);
    if (error) return base::unavailable("no folder for temporary files: {}", error.message());
    std::string path = (base / "tachostat-record-XXXXXX").string();
    if (mkdtemp(path.data()) == nullptr) {
      return base::unavailable("cannot make a folder in '{}': {}", base.string(),
                               std::strerror(errno));
    }
    return TemporaryFolder(std::move(path));
  }
  TemporaryFolder(TemporaryFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TemporaryFolder& operator=(TemporaryFolder&& other) noexcept {
    std::swap(path_, other.path_);
    return *this;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  explicit TemporaryFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

std::vector<std::string> environment_with(const std::string& library, const std::string& folder,
                                          const std::string& depth) {
  std::vector<std::string> result = {
      "INTEL_LIBITTNOTIFY64=" + library, "NVTX_INJECTION64_PATH=" + library,
      "TACHOSTAT_RECORD=" + folder, "TACHOSTAT_RECORD_DEPTH=" + depth};
  const std::set<std::string_view> ours = {"INTEL_LIBITTNOTIFY64",  "INTEL_LIBITTNOTIFY32",
                                           "NVTX_INJECTION64_PATH", "NVTX_INJECTION32_PATH",
                                           "TACHOSTAT_RECORD",      "TACHOSTAT_RECORD_DEPTH"};
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    if (!ours.contains(text.substr(0, text.find('=')))) result.emplace_back(text);
  }
  return result;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// Holds back the signals that are waited for, for as long as it lives.
class SignalsToWaitFor {
 public:
  SignalsToWaitFor() {
    sigemptyset(&set_);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGCHLD}) sigaddset(&set_, signal);
    pthread_sigmask(SIG_BLOCK, &set_, &before_);
  }
  ~SignalsToWaitFor() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsToWaitFor(const SignalsToWaitFor&) = delete;
  SignalsToWaitFor& operator=(const SignalsToWaitFor&) = delete;

  const sigset_t& before() const { return before_; }

  // The next of them; nothing when `until` comes first.
  std::optional<siginfo_t> next(std::optional<Clock::time_point> until) const {
    siginfo_t info{};
    if (!until.has_value()) {
      return sigwaitinfo(&set_, &info) > 0 ? std::optional(info) : std::nullopt;
    }
    const auto left = std::max(Clock::duration::zero(), *until - Clock::now());
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
    const timespec timeout{.tv_sec = seconds.count(),
                           .tv_nsec = std::chrono::nanoseconds(left - seconds).count()};
    return sigtimedwait(&set_, &info, &timeout) > 0 ? std::optional(info) : std::nullopt;
  }

 private:
  sigset_t set_;
  sigset_t before_;
};

absl::StatusOr<pid_t> start(const RecordOptions& options, const std::string& library,
                            const std::string& folder, const sigset_t& signals) {
  std::vector<std::string> words = options.command;
  std::vector<std::string> environment = environment_with(library, folder, options.depth);
  const std::vector<char*> arguments = pointers_to(words);
  const std::vector<char*> variables = pointers_to(environment);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setsigmask(&attributes, &signals);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  pid_t child = 0;
  const int error =
      posix_spawnp(&child, arguments[0], nullptr, &attributes, arguments.data(), variables.data());
  posix_spawnattr_destroy(&attributes);
  if (error != 0) {
    return base::invalid_argument("cannot run '{}': {}", options.command[0], std::strerror(error));
  }
  return child;
}

// Until the command ends. Fills in how.
void wait_for(pid_t child, const std::optional<base::Duration>& duration,
              const SignalsToWaitFor& signals, RecordRun& run) {
  std::optional<Clock::time_point> until;
  if (duration.has_value()) until = Clock::now() + std::chrono::nanoseconds(*duration);
  int status = 0;
  while (waitpid(child, &status, WNOHANG) == 0) {
    const std::optional<siginfo_t> signal = signals.next(until);
    if (!signal.has_value()) {
      if (!until.has_value() || Clock::now() < *until) continue;
      kill(child, run.timed_out ? SIGKILL : SIGTERM);
      run.timed_out = true;
      until = Clock::now() + kPatience;
      continue;
    }
    if (signal->si_signo == SIGCHLD) continue;
    // A terminal sends Ctrl-C to all its programs by itself.
    if (signal->si_signo == SIGINT && signal->si_code == SI_KERNEL) continue;
    kill(child, signal->si_signo);
  }
  if (WIFSIGNALED(status)) {
    run.exit_code = -1;
    run.signal = WTERMSIG(status);
  } else {
    run.exit_code = WEXITSTATUS(status);
  }
}

void gather(const std::string& folder, RecordRun& run) {
  std::vector<trace::ProcessRecording> recordings;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    absl::StatusOr<trace::ProcessRecording> recording = trace::read_recording(entry.path());
    if (!recording.ok()) {
      run.notes.emplace_back(recording.status().message());
      continue;
    }
    if (recording->libraries.empty() && recording->trace.spans.empty()) continue;
    run.processes.push_back({.number = recording->process,
                             .name = recording->name,
                             .libraries = recording->libraries,
                             .spans = recording->trace.spans.size(),
                             .ended = recording->ended});
    recordings.push_back(*std::move(recording));
  }
  std::sort(run.processes.begin(), run.processes.end(),
            [](const auto& a, const auto& b) { return a.number < b.number; });
  for (const RecordRun::Process& process : run.processes) {
    if (process.ended) continue;
    const bool runs = kill(static_cast<pid_t>(process.number), 0) == 0;
    run.notes.push_back(fmt::format(
        "{}/{} {}", process.name, process.number,
        runs ? "still runs: recorded until now"
             : "was cut off: its last moments (20 ms at most) and what was open are missing"));
  }
  run.trace = trace::merge(std::move(recordings));
  run.spans = run.trace.spans.size();
  run.counters = run.trace.counters.size();
  run.dropped = run.trace.dropped;
}

}  // namespace

absl::StatusOr<RecordRun> record(const RecordOptions& options) {
  if (options.command.empty()) return base::invalid_argument("no command to record");
  const std::string library = probe::itt::library_path();
  if (library.empty()) return base::unavailable("libtachostat_itt.so cannot be found");
  TS_ASSIGN_OR_RETURN(const TemporaryFolder folder, TemporaryFolder::create());
  RecordRun run;
  for (const char* variable : {"INTEL_LIBITTNOTIFY64", "NVTX_INJECTION64_PATH"}) {
    const char* named = std::getenv(variable);
    if (named == nullptr || *named == '\0' ||
        std::string_view(named).ends_with("libtachostat_itt.so"))
      continue;
    run.notes.push_back(fmt::format("{} named '{}': replaced for the command", variable, named));
  }
  const SignalsToWaitFor signals;
  TS_ASSIGN_OR_RETURN(const pid_t child, start(options, library, folder.path(), signals.before()));
  wait_for(child, options.duration, signals, run);
  gather(folder.path(), run);
  return run;
}

profile::Profile profile_of(const trace::Trace& trace, const std::string& name) {
  constexpr std::uint64_t kSession = 1;
  trace::Trace marked = trace;
  std::set<std::uint32_t> threads;
  for (const trace::Span& span : trace.spans) {
    if (span.kind == trace::Kind::kWorker || span.kind == trace::Kind::kPrimitive) {
      threads.insert(span.thread);
    }
    if (span.kind != trace::Kind::kRequest) continue;
    marked.marks.push_back({kSession, span.thread, span.begin_ns, span.end_ns, ""});
  }
  profile::Builder builder;
  builder.add_session(kSession, {.model = name, .threads = static_cast<int>(threads.size())});
  builder.add(marked);
  std::vector<profile::Profile> profiles = builder.profiles();
  if (profiles.empty()) return {.model = name};
  profiles[0].variant = "recorded";
  return std::move(profiles[0]);
}

}  // namespace tachostat::app
