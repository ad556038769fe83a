#include "probe/itt/recorder.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "probe/itt/annotations.h"
#include "probe/itt/registry.h"
#include "probe/itt/this_thread.h"
#include "trace/formats/recording_layout.h"

namespace tachostat::probe::itt {
namespace {

namespace layout = trace::recording;

constexpr std::chrono::milliseconds kEvery(20);

// Blocks, gathered and written with few calls. After a failed write nothing more is written: a file
// that is cut off can be read, one with a hole cannot.
class File {
 public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  ~File() { ::close(descriptor_); }

  void add(layout::Block type, std::string_view a, std::string_view b = {}) {
    if (a.size() > layout::kMostBytes - 1024) a = a.substr(0, layout::kMostBytes - 1024);
    b = b.substr(0, 1024);
    const layout::BlockHead head{static_cast<std::uint32_t>(type),
                                 static_cast<std::uint32_t>(a.size() + b.size())};
    buffer_.append(bytes_of(head)).append(a).append(b);
  }
  template <class T>
  void add(layout::Block type, const std::vector<T>& records) {
    constexpr std::size_t kMost = (layout::kMostBytes - 1024) / sizeof(T);
    for (std::size_t at = 0; at < records.size(); at += kMost) {
      const std::size_t count = std::min(kMost, records.size() - at);
      add(type,
          std::string_view(reinterpret_cast<const char*>(records.data() + at), count * sizeof(T)));
    }
  }
  template <class T>
  static std::string_view bytes_of(const T& value) {
    return {reinterpret_cast<const char*>(&value), sizeof value};
  }
  void add_raw(std::string_view bytes) { buffer_.append(bytes); }

  void flush() {
    std::string_view left = buffer_;
    while (!failed_ && !left.empty()) {
      const ssize_t written = ::write(descriptor_, left.data(), left.size());
      if (written >= 0) {
        left.remove_prefix(static_cast<std::size_t>(written));
      } else if (errno != EINTR) {
        failed_ = true;
      }
    }
    buffer_.clear();
  }

 private:
  const int descriptor_;
  bool failed_ = false;
  std::string buffer_;
};

std::string process_name() {
  char name[256];
  const int file = ::open("/proc/self/comm", O_RDONLY | O_CLOEXEC);
  const ssize_t size = file >= 0 ? ::read(file, name, sizeof name) : 0;
  if (file >= 0) ::close(file);
  std::string text(name, static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  if (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

int open_file(const std::string& folder) {
  // A process that executes another program keeps its number.
  for (int turn = 0; turn < 1000; ++turn) {
    const std::string path = folder + "/" + std::to_string(::getpid()) +
                             (turn == 0 ? "" : "." + std::to_string(turn)) + ".record";
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
    if (file >= 0 || errno != EEXIST) return file;
  }
  return -1;
}

// One process's recording. Thread-safe.
class Recorder {
 public:
  explicit Recorder(int descriptor) : file_(descriptor) {
    base::MutexLock lock(mutex_);
    layout::Header header;
    header.process = static_cast<std::uint32_t>(::getpid());
    file_.add_raw(File::bytes_of(header));
    file_.add(layout::Block::kProcess, process_name());
    file_.flush();
  }

  void start() {
    // Signals are the program's business.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread([this] { run(); });
    pthread_setname_np(thread_.native_handle(), "tachostat");
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

  void add_library(const std::string& text) {
    base::MutexLock lock(mutex_);
    file_.add(layout::Block::kLibrary, text);
    file_.flush();
  }

  // Writes all that there is, and that this is the end.
  void finish() {
    {
      base::MutexLock lock(mutex_);
      stop_ = true;
    }
    wake_.notify_one();
    if (thread_.joinable()) thread_.join();
    base::MutexLock lock(mutex_);
    pump();
    file_.add(layout::Block::kEnd, {});
    file_.flush();
  }

  void lock() TS_NO_ANALYSIS { mutex_.lock(); }
  void unlock() TS_NO_ANALYSIS { mutex_.unlock(); }

 private:
  void run() {
    base::MutexLock lock(mutex_);
    while (!stop_) {
      wake_.wait_until(mutex_, std::chrono::steady_clock::now() + kEvery);
      pump();
    }
  }

  void pump() TS_REQUIRES(mutex_) {
    std::vector<trace::Span> spans;
    std::vector<std::pair<std::uint32_t, std::string>> threads;
    std::uint64_t dropped = Registry::instance().drain(spans, threads);
    Annotations::Drained more = Annotations::instance().drain();
    spans.insert(spans.end(), more.spans.begin(), more.spans.end());
    threads.insert(threads.end(), more.threads.begin(), more.threads.end());
    dropped += more.dropped;
    // After the spans were taken, so that their names are there.
    for (const std::string& name : Registry::instance().names_from(names_)) {
      const auto number = static_cast<std::uint32_t>(names_++);
      file_.add(layout::Block::kName, File::bytes_of(number), name);
    }
    for (const auto& [thread, name] : threads) {
      const auto [known, added] = threads_.emplace(thread, name);
      if (!added && known->second == name) continue;
      known->second = name;
      file_.add(layout::Block::kThread, File::bytes_of(thread), name);
    }
    write_spans(spans);
    for (const auto& [number, name] : more.counters) {
      file_.add(layout::Block::kCounter, File::bytes_of(number), name);
    }
    write_points(more.points);
    if (dropped > 0) file_.add(layout::Block::kDropped, File::bytes_of(dropped));
    file_.flush();
  }

  void write_spans(const std::vector<trace::Span>& spans) TS_REQUIRES(mutex_) {
    std::vector<layout::SpanRecord> records;
    records.reserve(spans.size());
    for (const trace::Span& span : spans) {
      records.push_back({span.begin_ns, span.end_ns, span.name, span.thread, span.depth,
                         static_cast<std::uint32_t>(span.kind)});
    }
    file_.add(layout::Block::kSpans, records);
  }

  void write_points(const std::vector<Annotations::Point>& points) TS_REQUIRES(mutex_) {
    std::vector<layout::PointRecord> records;
    records.reserve(points.size());
    for (const Annotations::Point& point : points) {
      records.push_back({point.time_ns, point.value, point.counter});
    }
    file_.add(layout::Block::kPoints, records);
  }

  base::Mutex mutex_;
  base::CondVar wake_;
  bool stop_ TS_GUARDED_BY(mutex_) = false;
  File file_ TS_GUARDED_BY(mutex_);
  std::size_t names_ TS_GUARDED_BY(mutex_) = 0;  // written
  std::map<std::uint32_t, std::string> threads_ TS_GUARDED_BY(mutex_);
  std::thread thread_;
};

struct Request {
  std::string folder;
  Level level = Level::kAll;
};

const Request& request() {
  static const Request& asked = *new Request([] {
    Request request;
    const char* folder = getenv("TACHOSTAT_RECORD");
    const char* depth = getenv("TACHOSTAT_RECORD_DEPTH");
    if (folder != nullptr) request.folder = folder;
    if (depth != nullptr && std::string_view(depth) == "layers") request.level = Level::kLayers;
    if (depth != nullptr && std::string_view(depth) == "kernels") request.level = Level::kKernels;
    return request;
  }());
  return asked;
}

std::atomic<bool> g_stopped{false};
std::atomic<Recorder*> g_recorder{nullptr};  // never destroyed: a fork's child leaves its parent's
base::Mutex& start_mutex() {
  static base::Mutex& mutex = *new base::Mutex;
  return mutex;
}

// Taken in the order in which the recorder's thread takes them.
void before_fork() TS_NO_ANALYSIS {
  start_mutex().lock();
  if (Recorder* recorder = g_recorder.load()) recorder->lock();
  Registry::instance().lock();
  Annotations::instance().lock();
}

void after_fork() TS_NO_ANALYSIS {
  Annotations::instance().unlock();
  Registry::instance().unlock();
  if (Recorder* recorder = g_recorder.load()) recorder->unlock();
  start_mutex().unlock();
}

void after_fork_in_child() TS_NO_ANALYSIS {
  Annotations::instance().forget();
  Registry::instance().forget_threads();
  forget_this_thread();
  after_fork();
  g_recorder.store(nullptr);
}

__attribute__((destructor)) void at_exit() {
  g_stopped.store(true);
  base::MutexLock lock(start_mutex());
  if (Recorder* recorder = g_recorder.exchange(nullptr)) recorder->finish();
}

}  // namespace

bool recording() { return !g_stopped.load(std::memory_order_relaxed) && !request().folder.empty(); }

Level recorded_level() { return request().level; }

void ensure_recording() {
  if (g_recorder.load(std::memory_order_acquire) != nullptr || !recording()) return;
  base::MutexLock lock(start_mutex());
  if (g_recorder.load() != nullptr || !recording()) return;
  const int file = open_file(request().folder);
  if (file < 0) {
    g_stopped.store(true);
    return;
  }
  static const int at_fork = pthread_atfork(before_fork, after_fork, after_fork_in_child);
  static_cast<void>(at_fork);
  auto* recorder = new Recorder(file);
  g_recorder.store(recorder, std::memory_order_release);
  recorder->start();
  Registry::instance().set_level(request().level);
}

void library_called_in(const char* interface, const void* caller) {
  ensure_recording();
  Recorder* recorder = g_recorder.load();
  if (recorder == nullptr) return;
  Dl_info info;
  const bool known = dladdr(caller, &info) != 0 && info.dli_fname != nullptr;
  recorder->add_library(std::string(interface) + " " + (known ? info.dli_fname : "?"));
}

void stop_recording() {
  g_stopped.store(true);
  base::MutexLock lock(start_mutex());
  Recorder* recorder = g_recorder.exchange(nullptr);
  if (recorder == nullptr) return;
  Registry::instance().set_level(Level::kOff);
  recorder->finish();
}

}  // namespace tachostat::probe::itt
