#include "trace/formats/recording.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstring>
#include <fstream>
#include <map>
#include <set>
#include <string_view>
#include <unordered_map>

#include "base/status.h"
#include "trace/formats/recording_layout.h"

namespace tachostat::trace {
namespace {

using recording::Block;

// Numbers are given one after the other, so a gap is damage.
constexpr std::size_t kMostNames = std::size_t{1} << 21;

template <class T>
T read_as(std::string_view bytes, std::size_t at = 0) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

class Reader {
 public:
  explicit Reader(const std::string& path) : path_(path), in_(path, std::ios::binary) {}

  absl::StatusOr<ProcessRecording> read() {
    recording::Header header;
    const recording::Header expected;
    if (!in_.read(reinterpret_cast<char*>(&header), sizeof header) ||
        std::memcmp(header.magic, expected.magic, sizeof header.magic) != 0) {
      return base::invalid_argument("{}: not a recording of this version of tachostat", path_);
    }
    result_.process = header.process;
    std::string payload;
    recording::BlockHead head;
    while (in_.read(reinterpret_cast<char*>(&head), sizeof head)) {
      if (head.size > recording::kMostBytes) {
        return base::invalid_argument("{}: a block of {} bytes, at most {} are written", path_,
                                      head.size, recording::kMostBytes);
      }
      payload.resize(head.size);
      if (!in_.read(payload.data(), static_cast<std::streamsize>(head.size))) break;
      TS_RETURN_IF_ERROR(take(static_cast<Block>(head.type), payload));
    }
    drop_strangers();
    return std::move(result_);
  }

 private:
  absl::Status take(Block type, std::string_view payload) {
    switch (type) {
      case Block::kProcess:
        result_.name = payload;
        return absl::OkStatus();
      case Block::kLibrary:
        result_.libraries.emplace_back(payload);
        return absl::OkStatus();
      case Block::kName:
        return take_name(payload);
      case Block::kThread:
      case Block::kCounter:
        return take_numbered(type, payload);
      case Block::kSpans:
        return take_spans(payload);
      case Block::kPoints:
        return take_points(payload);
      case Block::kDropped:
        if (payload.size() != sizeof(std::uint64_t)) return damaged("a count of lost spans");
        result_.trace.dropped += read_as<std::uint64_t>(payload);
        return absl::OkStatus();
      case Block::kEnd:
        result_.ended = true;
        return absl::OkStatus();
    }
    return base::invalid_argument("{}: a block of unknown type {}", path_,
                                  static_cast<std::uint32_t>(type));
  }

  absl::Status damaged(std::string_view what) const {
    return base::invalid_argument("{}: {} is damaged", path_, what);
  }

  absl::Status take_name(std::string_view payload) {
    std::vector<std::string>& names = result_.trace.names;
    if (payload.size() < 4 || read_as<std::uint32_t>(payload) != names.size() ||
        names.size() == kMostNames) {
      return damaged("a name");
    }
    std::string_view text = payload.substr(4);
    std::string domain;
    if (text.starts_with(recording::kNvtx)) {
      const std::size_t second = text.find(recording::kNvtx, 1);
      if (second != std::string_view::npos) {
        domain = "nvtx:" + std::string(text.substr(1, second - 1));
        text = text.substr(second + 1);
      }
    }
    names.emplace_back(text);
    result_.domains.push_back(std::move(domain));
    return absl::OkStatus();
  }

  absl::Status take_numbered(Block type, std::string_view payload) {
    if (payload.size() < 4) return damaged("a thread or a counter");
    const auto number = read_as<std::uint32_t>(payload);
    std::string text(payload.substr(4));
    if (type == Block::kThread) {
      result_.trace.threads.emplace_back(number, std::move(text));
      return absl::OkStatus();
    }
    if (number != result_.trace.counters.size() || number == kMostNames) {
      return damaged("a counter");
    }
    result_.trace.counters.push_back({.name = std::move(text), .unit = "1"});
    return absl::OkStatus();
  }

  absl::Status take_spans(std::string_view payload) {
    if (payload.size() % sizeof(recording::SpanRecord) != 0) return damaged("a block of spans");
    for (std::size_t at = 0; at < payload.size(); at += sizeof(recording::SpanRecord)) {
      const auto record = read_as<recording::SpanRecord>(payload, at);
      if (record.end_ns < record.begin_ns ||
          record.kind > static_cast<std::uint32_t>(Kind::kOther)) {
        return damaged("a span");
      }
      result_.trace.spans.push_back({.begin_ns = record.begin_ns,
                                     .end_ns = record.end_ns,
                                     .name = record.name,
                                     .thread = record.thread,
                                     .depth = record.depth,
                                     .kind = static_cast<Kind>(record.kind)});
    }
    return absl::OkStatus();
  }

  absl::Status take_points(std::string_view payload) {
    if (payload.size() % sizeof(recording::PointRecord) != 0) return damaged("a block of points");
    for (std::size_t at = 0; at < payload.size(); at += sizeof(recording::PointRecord)) {
      const auto record = read_as<recording::PointRecord>(payload, at);
      if (record.counter >= result_.trace.counters.size()) return damaged("a counter's point");
      if (!std::isfinite(record.value)) continue;  // the program's own, and nothing to draw
      result_.trace.counters[record.counter].points.emplace_back(record.time_ns, record.value);
    }
    return absl::OkStatus();
  }

  // Names come before the spans that have them; a file cut between the two cannot be.
  void drop_strangers() {
    Trace& trace = result_.trace;
    trace.dropped += std::erase_if(
        trace.spans, [&](const Span& span) { return span.name >= trace.names.size(); });
    for (CounterTrack& counter : trace.counters) {
      std::stable_sort(counter.points.begin(), counter.points.end(),
                       [](const auto& a, const auto& b) { return a.first < b.first; });
    }
  }

  const std::string& path_;
  std::ifstream in_;
  ProcessRecording result_;
};

bool names_a_turn(std::string_view name) {
  constexpr std::array<std::string_view, 8> kWords = {"iter",  "step",    "batch",   "request",
                                                      "infer", "forward", "predict", "frame"};
  std::string lower(name);
  for (char& letter : lower) {
    letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  }
  return std::any_of(kWords.begin(), kWords.end(),
                     [&](std::string_view word) { return lower.find(word) != std::string::npos; });
}

// Says of one process's NVTX ranges what they are.
class NvtxKinds {
 public:
  explicit NvtxKinds(ProcessRecording& process) : process_(process), spans_(process.trace.spans) {}

  void decide() {
    std::vector<std::uint32_t> order;
    for (std::uint32_t i = 0; i < spans_.size(); ++i) {
      const bool on_thread = spans_[i].thread < recording::kLines;
      if (on_thread && (is_range(spans_[i]) || spans_[i].kind == Kind::kRequest))
        order.push_back(i);
    }
    std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
      const Span& one = spans_[a];
      const Span& two = spans_[b];
      return std::tie(one.thread, one.begin_ns, two.end_ns, one.depth) <
             std::tie(two.thread, two.begin_ns, one.end_ns, two.depth);
    });
    for (std::size_t at = 0; at < order.size();) at = decide_outermost(order, at);
    if (any_request_) return;
    for (Span& span : spans_) {
      if (is_range(span) && span.thread < recording::kLines) span.kind = Kind::kLayer;
    }
  }

 private:
  bool is_range(const Span& span) const {
    return span.end_ns > span.begin_ns && span.kind == Kind::kOther &&
           !process_.domains[span.name].empty();
  }

  // Of the range at `at` and all inside it; gives the place of the next.
  std::size_t decide_outermost(const std::vector<std::uint32_t>& order, std::size_t at) {
    Span& outer = spans_[order[at]];
    std::size_t next = at + 1;
    bool holds_request = false;
    while (next < order.size() && spans_[order[next]].thread == outer.thread &&
           spans_[order[next]].end_ns <= outer.end_ns) {
      holds_request |= spans_[order[next]].kind == Kind::kRequest;
      ++next;
    }
    if (outer.kind == Kind::kRequest) {  // a library's; ranges in it are a program's own business
      any_request_ = true;
      return next;
    }
    if (holds_request) {
      any_request_ = true;
      return next;
    }
    if (next == at + 1 && !names_a_turn(process_.trace.names[outer.name])) return next;
    any_request_ = true;
    outer.kind = Kind::kRequest;
    for (std::size_t i = at + 1; i < next; ++i) spans_[order[i]].kind = Kind::kLayer;
    return next;
  }

  ProcessRecording& process_;
  std::vector<Span>& spans_;
  bool any_request_ = false;
};

class Merger {
 public:
  void add(ProcessRecording process) {
    NvtxKinds(process).decide();
    Trace& from = process.trace;
    std::vector<std::uint32_t> names;
    for (const std::string& name : from.names) {
      const auto [known, added] =
          names_.emplace(name, static_cast<std::uint32_t>(result_.names.size()));
      if (added) result_.names.push_back(name);
      names.push_back(known->second);
    }
    std::map<std::uint32_t, std::string> labels;  // the last name of each
    for (auto& [thread, name] : from.threads) labels[thread] = std::move(name);
    for (const Span& span : from.spans) labels.try_emplace(span.thread);
    const std::string who = fmt::format("{}/{}", process.name, process.process);
    std::map<std::uint32_t, std::uint32_t> numbers;
    for (const auto& [thread, label] : labels) {
      const std::uint32_t number = number_of(thread);
      numbers[thread] = number;
      result_.threads.emplace_back(
          number, fmt::format("{} {}", who, label.empty() ? fmt::format("{}", thread) : label));
    }
    for (Span span : from.spans) {
      span.name = names[span.name];
      span.thread = numbers[span.thread];
      result_.spans.push_back(span);
    }
    for (CounterTrack& counter : from.counters) {
      counter.name = fmt::format("{} {}", who, counter.name);
      if (!counter.points.empty()) result_.counters.push_back(std::move(counter));
    }
    result_.dropped += from.dropped;
  }

  Trace take() { return std::move(result_); }

 private:
  std::uint32_t number_of(std::uint32_t thread) {
    if (thread < recording::kLines && taken_.insert(thread).second) return thread;
    return next_line_++;
  }

  Trace result_;
  std::unordered_map<std::string, std::uint32_t> names_;
  std::set<std::uint32_t> taken_;
  std::uint32_t next_line_ = recording::kLines;
};

}  // namespace

absl::StatusOr<ProcessRecording> read_recording(const std::string& path) {
  return Reader(path).read();
}

Trace merge(std::vector<ProcessRecording> processes) {
  std::sort(processes.begin(), processes.end(),
            [](const auto& a, const auto& b) { return a.process < b.process; });
  Merger merger;
  for (ProcessRecording& process : processes) merger.add(std::move(process));
  return merger.take();
}

}  // namespace tachostat::trace
