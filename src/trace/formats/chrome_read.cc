#include <charconv>
#include <istream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <unordered_map>

#include "base/status.h"
#include "trace/formats/chrome.h"

namespace tachostat::trace {
namespace {

using nlohmann::json;

// A number's own text is kept: microseconds with decimals do not survive a double.
struct Value {
  bool is_string = false;
  std::string text;
};
// The members of one event; those of its "args" are called "args.NAME".
using Event = std::map<std::string, Value, std::less<>>;

// "12", "12.5", "12.345000": microseconds to nanoseconds, exactly. Nothing for exponents, signs,
// more than nanoseconds, or what does not fit.
std::optional<std::uint64_t> parse_ns(std::string_view text) {
  const std::size_t point = text.find('.');
  std::string digits(text.substr(0, point));
  std::string_view decimals = point == text.npos ? "" : text.substr(point + 1);
  while (decimals.size() > 3 && decimals.back() == '0') decimals.remove_suffix(1);
  if (decimals.size() > 3) return std::nullopt;
  digits.append(decimals);
  digits.append(3 - decimals.size(), '0');
  std::uint64_t ns = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), ns);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return ns;
}

// Turns events into the trace. Each get_* names the event and the member when it fails.
class EventReader {
 public:
  absl::Status add(const Event& event) {
    ++index_;
    TS_ASSIGN_OR_RETURN(const std::string* phase, get_string(event, "ph"));
    if (*phase == "M") return add_metadata(event);
    if (*phase == "X") return add_complete(event);
    if (*phase == "C") return add_counter(event);
    if (*phase == "s") return add_flow_end(event, &FlowEnds::from);
    if (*phase == "f") return add_flow_end(event, &FlowEnds::to);
    return base::invalid_argument(
        "trace event {}: \"ph\" is \"{}\", expected \"X\" (complete), \"M\" (metadata), \"C\" "
        "(counter), \"s\" or \"f\" (flow)",
        index_, *phase);
  }

  absl::StatusOr<Trace> take() {
    for (const auto& [id, ends] : flows_) {
      if (!ends.from || !ends.to) {
        return base::invalid_argument("trace: the flow with \"id\" {} has no \"{}\" event", id,
                                      ends.from ? "f" : "s");
      }
      if (*ends.from >= trace_.spans.size() || *ends.to >= trace_.spans.size()) {
        return base::invalid_argument(
            "trace: the flow with \"id\" {} is from span {} to {}, but there are {} spans", id,
            *ends.from, *ends.to, trace_.spans.size());
      }
      trace_.flows.push_back({.from = *ends.from, .to = *ends.to});
    }
    return std::move(trace_);
  }
  void set_dropped(std::uint64_t dropped) { trace_.dropped = dropped; }

 private:
  absl::StatusOr<const Value*> get(const Event& event, std::string_view member) const {
    const auto found = event.find(member);
    if (found == event.end()) {
      return base::invalid_argument("trace event {}: no \"{}\"", index_, member);
    }
    return &found->second;
  }
  absl::StatusOr<const std::string*> get_string(const Event& event, std::string_view member) const {
    TS_ASSIGN_OR_RETURN(const Value* value, get(event, member));
    if (value->is_string) return &value->text;
    return base::invalid_argument("trace event {}: \"{}\" is {}, expected a string", index_, member,
                                  value->text);
  }
  template <class Integer>
  absl::StatusOr<Integer> get_integer(const Event& event, std::string_view member) const {
    TS_ASSIGN_OR_RETURN(const Value* value, get(event, member));
    Integer number = 0;
    const char* last = value->text.data() + value->text.size();
    const auto [end, error] = std::from_chars(value->text.data(), last, number);
    if (!value->is_string && error == std::errc() && end == last) return number;
    return base::invalid_argument(
        "trace event {}: \"{}\" is {}, expected a whole number of {} bits, none below 0", index_,
        member, shown(*value), sizeof(Integer) * 8);
  }
  absl::StatusOr<std::uint64_t> get_ns(const Event& event, std::string_view member) const {
    TS_ASSIGN_OR_RETURN(const Value* value, get(event, member));
    if (!value->is_string) {
      if (const auto ns = parse_ns(value->text)) return *ns;
    }
    return base::invalid_argument(
        "trace event {}: \"{}\" is {}, expected microseconds with up to three decimals", index_,
        member, shown(*value));
  }
  static std::string shown(const Value& value) {
    return value.is_string ? '"' + value.text + '"' : value.text;
  }

  absl::Status add_metadata(const Event& event) {
    TS_ASSIGN_OR_RETURN(const std::string* name, get_string(event, "name"));
    if (*name != "thread_name") return absl::OkStatus();
    TS_ASSIGN_OR_RETURN(const auto thread, get_integer<std::uint32_t>(event, "tid"));
    TS_ASSIGN_OR_RETURN(const std::string* thread_name, get_string(event, "args.name"));
    trace_.threads.emplace_back(thread, *thread_name);
    return absl::OkStatus();
  }

  absl::Status add_complete(const Event& event) {
    TS_ASSIGN_OR_RETURN(const auto thread, get_integer<std::uint32_t>(event, "tid"));
    TS_ASSIGN_OR_RETURN(const std::uint64_t begin, get_ns(event, "ts"));
    TS_ASSIGN_OR_RETURN(const std::uint64_t duration, get_ns(event, "dur"));
    TS_ASSIGN_OR_RETURN(const std::string* category, get_string(event, "cat"));
    const std::uint64_t end = begin + duration;
    if (end < begin) {
      return base::invalid_argument("trace event {}: \"ts\" + \"dur\" is beyond 64 bits", index_);
    }
    if (*category == "execution") {
      TS_ASSIGN_OR_RETURN(const auto session, get_integer<std::uint64_t>(event, "args.session"));
      TS_ASSIGN_OR_RETURN(const std::string* bucket, get_string(event, "args.bucket"));
      trace_.marks.push_back({.session = session,
                              .thread = thread,
                              .begin_ns = begin,
                              .end_ns = end,
                              .bucket = *bucket});
      return absl::OkStatus();
    }
    const std::optional<Kind> kind = kind_named(*category);
    if (!kind) {
      return base::invalid_argument(
          "trace event {}: \"cat\" is \"{}\", expected \"execution\" or a kind of span such as "
          "\"layer\"",
          index_, *category);
    }
    TS_ASSIGN_OR_RETURN(const auto depth, get_integer<std::uint32_t>(event, "args.depth"));
    TS_ASSIGN_OR_RETURN(const std::string* name, get_string(event, "name"));
    trace_.spans.push_back({.begin_ns = begin,
                            .end_ns = end,
                            .name = number_of(*name),
                            .thread = thread,
                            .depth = depth,
                            .kind = *kind});
    return absl::OkStatus();
  }

  absl::Status add_counter(const Event& event) {
    TS_ASSIGN_OR_RETURN(const std::uint64_t ns, get_ns(event, "ts"));
    TS_ASSIGN_OR_RETURN(const std::string* unit, get_string(event, "cat"));
    TS_ASSIGN_OR_RETURN(const std::string* name, get_string(event, "name"));
    TS_ASSIGN_OR_RETURN(const Value* text, get(event, "args.value"));
    double value = 0;
    const char* last = text->text.data() + text->text.size();
    const auto [end, error] = std::from_chars(text->text.data(), last, value);
    if (text->is_string || error != std::errc() || end != last) {
      return base::invalid_argument("trace event {}: \"args.value\" is {}, expected a number",
                                    index_, shown(*text));
    }
    const auto [found, added] = counters_.emplace(std::pair(*name, *unit), trace_.counters.size());
    if (added) trace_.counters.push_back({.name = *name, .unit = *unit});
    auto& points = trace_.counters[found->second].points;
    if (!points.empty() && points.back().first > ns) {
      return base::invalid_argument(
          "trace event {}: \"ts\" of counter \"{}\" is before its last one", index_, *name);
    }
    points.emplace_back(ns, value);
    return absl::OkStatus();
  }

  struct FlowEnds {
    std::optional<std::uint32_t> from, to;  // places among the file's spans
  };

  absl::Status add_flow_end(const Event& event, std::optional<std::uint32_t> FlowEnds::*end) {
    TS_ASSIGN_OR_RETURN(const auto id, get_integer<std::uint64_t>(event, "id"));
    TS_ASSIGN_OR_RETURN(const auto span, get_integer<std::uint32_t>(event, "args.span"));
    std::optional<std::uint32_t>& place = flows_[id].*end;
    if (place) {
      return base::invalid_argument("trace event {}: a second one of its \"ph\" with \"id\" {}",
                                    index_, id);
    }
    place = span;
    return absl::OkStatus();
  }

  std::uint32_t number_of(const std::string& name) {
    const auto [found, added] =
        numbers_.emplace(name, static_cast<std::uint32_t>(trace_.names.size()));
    if (added) trace_.names.push_back(name);
    return found->second;
  }

  Trace trace_;
  std::unordered_map<std::string, std::uint32_t> numbers_;
  std::map<std::pair<std::string, std::string>, std::size_t> counters_;  // by name and unit
  std::map<std::uint64_t, FlowEnds> flows_;                              // by id
  std::int64_t index_ = -1;                                              // of the event being read
};

// Walks the file once without building a document: traces have many events.
class Parser final : public nlohmann::json_sax<json> {
 public:
  absl::StatusOr<Trace> finish() {
    TS_RETURN_IF_ERROR(status_);
    if (!saw_events_) {
      return base::invalid_argument(
          "trace: no \"traceEvents\" array at the top level; is this a Chrome trace in JSON object "
          "format?");
    }
    return reader_.take();
  }

  bool null() override { return scalar({.text = "null"}); }
  bool boolean(bool value) override { return scalar({.text = value ? "true" : "false"}); }
  bool number_integer(number_integer_t value) override {
    return scalar({.text = std::to_string(value)});
  }
  bool number_unsigned(number_unsigned_t value) override {
    return scalar({.text = std::to_string(value)});
  }
  bool number_float(number_float_t, const string_t& text) override {
    return scalar({.text = text});
  }
  bool string(string_t& text) override { return scalar({.is_string = true, .text = text}); }
  bool binary(binary_t&) override { return true; }

  bool start_object(std::size_t) override { return enter(false); }
  bool start_array(std::size_t) override {
    if (path_.size() == 1 && key_ == "traceEvents") saw_events_ = true;
    return enter(true);
  }
  bool key(string_t& name) override {
    key_ = name;
    return true;
  }
  bool end_array() override { return leave(); }
  bool end_object() override {
    if (!at_event(2)) return leave();
    if (status_ = reader_.add(event_); !status_.ok()) return false;
    event_.clear();
    return leave();
  }

  bool parse_error(std::size_t position, const std::string&,
                   const json::exception& error) override {
    status_ =
        base::invalid_argument("trace: not valid JSON at byte {}: {}", position, error.what());
    return false;
  }

 private:
  struct Level {
    std::string name;  // the member that holds this object or array
    bool array = false;
  };

  // Whether the walk is inside an event's object (depth 2 below the top) or its args (3).
  bool at_event(std::size_t depth) const {
    return path_.size() == depth + 1 && path_[1].array && path_[1].name == "traceEvents";
  }
  bool enter(bool array) {
    if (path_.empty() && array) {
      status_ = base::invalid_argument(
          "trace: the top level is an array, expected an object with \"traceEvents\"");
      return false;
    }
    if (array && at_event(1)) {
      status_ =
          base::invalid_argument("trace: \"traceEvents\" holds an array, expected objects only");
      return false;
    }
    if (path_.size() >= kDeepest) {
      status_ = base::invalid_argument("trace: nested deeper than {} levels", kDeepest);
      return false;
    }
    path_.push_back({.name = path_.empty() || path_.back().array ? "" : key_, .array = array});
    return true;
  }
  bool leave() {
    path_.pop_back();
    return true;
  }
  bool scalar(Value value) {
    if (path_.empty()) {
      status_ =
          base::invalid_argument("trace: the top level is {}, expected an object", value.text);
      return false;
    }
    if (at_event(1)) {
      status_ = base::invalid_argument("trace: \"traceEvents\" holds {}, expected objects only",
                                       value.text);
      return false;
    }
    if (at_event(2)) {
      event_[key_] = std::move(value);
    } else if (at_event(3) && !path_.back().array && path_.back().name == "args") {
      event_["args." + key_] = std::move(value);
    } else if (path_.size() == 2 && path_[1].name == "otherData" && key_ == "dropped_spans") {
      return read_dropped(value);
    }
    return true;
  }
  bool read_dropped(const Value& value) {
    std::uint64_t dropped = 0;
    const char* last = value.text.data() + value.text.size();
    const auto [end, error] = std::from_chars(value.text.data(), last, dropped);
    if (value.is_string || error != std::errc() || end != last) {
      status_ = base::invalid_argument(
          "trace: \"otherData\".\"dropped_spans\" is {}, expected a whole number", value.text);
      return false;
    }
    reader_.set_dropped(dropped);
    return true;
  }

  static constexpr std::size_t kDeepest = 64;

  EventReader reader_;
  absl::Status status_;
  std::vector<Level> path_;
  std::string key_;
  Event event_;
  bool saw_events_ = false;
};

}  // namespace

absl::StatusOr<Trace> read_chrome(std::istream& in) {
  Parser parser;
  json::sax_parse(in, &parser);
  return parser.finish();
}

}  // namespace tachostat::trace
