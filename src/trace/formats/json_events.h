// Chrome's trace events out of a stream, one after the other, whatever the file's size: the common
// ground of PyTorch's, ONNX Runtime's and everybody else's JSON traces.
// Format: "Trace Event Format" by the Chromium authors.
#pragma once

#include <simdjson.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "trace/import.h"

namespace tachostat::trace {

// Views into the reader's buffers, until its next event. Empty where the event has no such member
// or one of another type.
struct JsonEvent {
  std::string_view phase = {};
  std::string_view name = {};
  std::string_view category = {};
  std::string_view pid = {};  // a number's digits, or a string's content
  std::string_view tid = {};
  std::string_view id = {};
  std::optional<std::int64_t> begin_ns = {};
  std::optional<std::int64_t> duration_ns = {};
  std::string_view args = {};  // the object's JSON, for JsonArgs
};

// Memory: the largest event, at most kLargest bytes, and the other members of the top level.
class JsonEvents {
 public:
  static constexpr std::size_t kLargest = std::size_t{16} << 20;
  // Members beside "traceEvents" that are longer are skipped.
  static constexpr std::size_t kLargestMember = std::size_t{64} << 10;

  explicit JsonEvents(Input& input) : input_(input) {}
  // False at the end. Events that are not valid JSON are skipped and counted. InvalidArgument: the
  // file is no such JSON, or is cut off (an array may lack its last bracket, as the format allows).
  absl::StatusOr<bool> next(JsonEvent& event);
  // Calls take(event) for all that are left. InvalidArgument, too, when there were some and none
  // was valid JSON.
  template <class Take>
  absl::Status each(Take take) {
    JsonEvent event;
    for (;;) {
      TS_ASSIGN_OR_RETURN(const bool any, next(event));
      if (!any) return check_any_valid();
      take(event);
    }
  }

  std::uint64_t events() const { return events_; }  // so far, valid or not
  std::uint64_t invalid() const { return invalid_; }
  // The top level's other members as JSON, complete after the last event.
  const std::map<std::string, std::string>& members() const { return members_; }

 private:
  enum class Where { kStart, kMembers, kEvents, kEnd };
  // Whether there is a byte at at_, after reading on if need be. Bytes from keep_ on stay.
  absl::StatusOr<bool> more();
  absl::StatusOr<char> peek();  // the next byte that is not white space; 0 at the end
  // Past the value that begins at at_. Its bytes are buffer_[keep_, at_) if it is not longer than
  // `limit`; false when it is, its bytes are gone then.
  absl::StatusOr<bool> pass_value(std::size_t limit);
  absl::Status start();
  absl::Status pass_member();
  bool parse(JsonEvent& event);
  absl::Status check_any_valid() const;
  absl::Status damaged(std::string_view expected, char found) const;
  absl::Status cut_off() const;
  std::string_view kept() const { return {buffer_.data() + keep_, at_ - keep_}; }

  Input& input_;
  std::string buffer_;
  std::size_t keep_ = 0;
  std::size_t at_ = 0;
  std::size_t size_ = 0;      // bytes of buffer_ in use
  std::uint64_t passed_ = 0;  // bytes before buffer_[0]
  Where where_ = Where::kStart;
  bool bare_array_ = false;
  bool saw_events_ = false;
  std::uint64_t events_ = 0;
  std::uint64_t invalid_ = 0;
  std::map<std::string, std::string> members_;
  simdjson::ondemand::parser parser_;
};

// Walks an event's args.
class JsonArgs {
 public:
  using Value = simdjson::ondemand::value;
  // Calls visit(key, value) for each member; false when they are not valid JSON. NaN and
  // infinities, which tools write though JSON has none, read as null.
  template <class Visit>
  bool each(std::string_view args, Visit visit) {
    if (args.empty()) return false;
    return walk(args, visit) || walk(repaired(args), visit);
  }

  // A number, or a string that holds one; nothing else.
  static std::optional<double> number(Value& value);
  static std::optional<std::uint64_t> unsigned_number(Value& value);
  static std::string_view string(Value& value);  // empty when it is none
  // Any value's JSON without white space outside of strings.
  static std::string compact(Value& value);

 private:
  template <class Visit>
  bool walk(std::string_view args, Visit& visit) {
    simdjson::ondemand::document document;
    simdjson::ondemand::object object;
    // JsonEvents and repaired() keep the padding that simdjson wants.
    if (parser_.iterate(args.data(), args.size(), args.size() + simdjson::SIMDJSON_PADDING)
            .get(document) ||
        document.get_object().get(object)) {
      return false;
    }
    for (auto field : object) {
      std::string_view key;
      simdjson::ondemand::value value;
      if (field.unescaped_key().get(key) || field.value().get(value)) return false;
      visit(key, value);
    }
    return true;
  }
  std::string_view repaired(std::string_view args);

  simdjson::ondemand::parser parser_;
  std::string scratch_;
};

// Text of JSON with bare words that JSON does not have (nan, Infinity, …) replaced by null.
std::string without_bare_words(std::string_view json);

}  // namespace tachostat::trace
