#include "trace/formats/json_events.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "base/status.h"
#include "trace/formats/timeline.h"

namespace tachostat::trace {
namespace {

constexpr std::size_t kBlock = 256 * 1024;

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

// Which bytes matter between strings: brackets and quotes; of 256 the rest is zero.
constexpr std::array<std::uint8_t, 256> kMatters = [] {
  std::array<std::uint8_t, 256> table{};
  for (const char c : {'{', '}', '[', ']', '"'}) table[static_cast<unsigned char>(c)] = 1;
  return table;
}();

// "[1, 2, 3]" without its spaces, strings untouched.
std::string squeezed(std::string_view json) {
  std::string text;
  text.reserve(json.size());
  bool in_string = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_string && c == '\\' && i + 1 < json.size()) {
      text += c;
      text += json[++i];
      continue;
    }
    if (c == '"') in_string = !in_string;
    if (in_string || !is_space(c)) text += c;
  }
  return text;
}

// A string's content, or a number's digits.
std::string_view plain_text(simdjson::ondemand::value& value) {
  simdjson::ondemand::json_type type{};
  if (value.type().get(type)) return {};
  std::string_view text;
  if (type == simdjson::ondemand::json_type::string) {
    return value.get_string().get(text) ? std::string_view{} : text;
  }
  if (type != simdjson::ondemand::json_type::number) return {};
  text = value.raw_json_token();
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::optional<std::int64_t> time_of(simdjson::ondemand::value& value) {
  std::int64_t ns = 0;
  // ONNX Runtime's older versions and others write times as strings.
  if (!parse_us(plain_text(value), ns)) return std::nullopt;
  return ns;
}

}  // namespace

absl::Status JsonEvents::damaged(std::string_view expected, char found) const {
  return base::invalid_argument(
      "{}: byte {}, after {} events: expected {}, found '{}'", input_.name(), passed_ + at_,
      events_, expected,
      found >= ' ' && found <= '~' ? std::string(1, found) : fmt::format("\\x{:02x}", found));
}

absl::Status JsonEvents::cut_off() const {
  return base::invalid_argument("{}: the JSON is cut off at byte {}, after {} events",
                                input_.name(), passed_ + at_, events_);
}

absl::StatusOr<bool> JsonEvents::more() {
  if (at_ < size_) return true;
  if (keep_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + keep_, size_ - keep_);
    passed_ += keep_;
    size_ -= keep_;
    at_ -= keep_;
    keep_ = 0;
  }
  // Doubled when an event outgrows it.
  const std::size_t room = size_ + std::max(kBlock, size_) + simdjson::SIMDJSON_PADDING;
  if (buffer_.size() < room) buffer_.resize(room);
  TS_ASSIGN_OR_RETURN(
      const std::size_t got,
      input_.read(buffer_.data() + size_, buffer_.size() - simdjson::SIMDJSON_PADDING - size_));
  size_ += got;
  return got > 0;
}

absl::StatusOr<char> JsonEvents::peek() {
  for (;;) {
    keep_ = at_;
    TS_ASSIGN_OR_RETURN(const bool any, more());
    if (!any) return '\0';
    while (at_ < size_ && is_space(buffer_[at_])) ++at_;
    if (at_ < size_) {
      keep_ = at_;
      return buffer_[at_];
    }
  }
}

absl::StatusOr<bool> JsonEvents::pass_value(std::size_t limit) {
  keep_ = at_;
  bool fits = true;
  std::size_t depth = 0;
  bool in_string = false;
  const char first = buffer_[at_];
  const bool scalar = first != '{' && first != '[' && first != '"';
  for (;;) {
    if (at_ >= size_) {
      if (at_ - keep_ > limit) fits = false;
      if (!fits) keep_ = at_;
      TS_ASSIGN_OR_RETURN(const bool any, more());
      if (!any) return cut_off();
    }
    const char* const bytes = buffer_.data();
    if (in_string) {
      while (at_ < size_ && bytes[at_] != '"' && bytes[at_] != '\\') ++at_;
      if (at_ >= size_) continue;
      if (bytes[at_] == '\\') {
        ++at_;
        TS_ASSIGN_OR_RETURN(const bool any, more());
        if (!any) return cut_off();
        ++at_;
        continue;
      }
      in_string = false;
      ++at_;
      if (depth == 0) break;
    } else if (scalar) {
      while (at_ < size_ && !is_space(bytes[at_]) && bytes[at_] != ',' && bytes[at_] != '}' &&
             bytes[at_] != ']') {
        ++at_;
      }
      if (at_ < size_) break;
    } else {
      while (at_ < size_ && kMatters[static_cast<unsigned char>(bytes[at_])] == 0) ++at_;
      if (at_ >= size_) continue;
      const char c = bytes[at_++];
      if (c == '"') {
        in_string = true;
      } else if (c == '{' || c == '[') {
        ++depth;
      } else if (--depth == 0) {
        break;
      }
    }
  }
  return fits && at_ - keep_ <= limit;
}

absl::Status JsonEvents::start() {
  TS_ASSIGN_OR_RETURN(char c, peek());
  if (c == '\xef' && size_ - at_ >= 3 && std::memcmp(&buffer_[at_], "\xef\xbb\xbf", 3) == 0) {
    at_ += 3;  // a byte order mark
    TS_ASSIGN_OR_RETURN(c, peek());
  }
  if (c == '\0') return base::invalid_argument("{}: empty; expected JSON", input_.name());
  if (c != '{' && c != '[') return damaged("'{' or '[' of a JSON trace", c);
  ++at_;
  bare_array_ = c == '[';
  saw_events_ = bare_array_;
  where_ = bare_array_ ? Where::kEvents : Where::kMembers;
  return absl::OkStatus();
}

// One of the top level's: kept when small, the events' array entered.
absl::Status JsonEvents::pass_member() {
  TS_ASSIGN_OR_RETURN(char c, peek());
  if (c == ',') {
    ++at_;
    TS_ASSIGN_OR_RETURN(c, peek());
  }
  if (c == '\0') return cut_off();
  if (c == '}') {
    where_ = Where::kEnd;
    return absl::OkStatus();
  }
  if (c != '"') return damaged("a member's name", c);
  TS_ASSIGN_OR_RETURN(const bool short_key, pass_value(kLargestMember));
  const std::string key = short_key ? std::string(kept().substr(1, kept().size() - 2)) : "";
  TS_ASSIGN_OR_RETURN(c, peek());
  if (c == '\0') return cut_off();
  if (c != ':') return damaged("':' after a member's name", c);
  ++at_;
  TS_ASSIGN_OR_RETURN(c, peek());
  if (c == '\0') return cut_off();
  if (key == "traceEvents" && c == '[') {
    ++at_;
    saw_events_ = true;
    where_ = Where::kEvents;
    return absl::OkStatus();
  }
  TS_ASSIGN_OR_RETURN(const bool small, pass_value(kLargestMember));
  constexpr std::size_t kMostMembers = 1000;
  if (small && members_.size() < kMostMembers) members_[key] = std::string(kept());
  return absl::OkStatus();
}

absl::StatusOr<bool> JsonEvents::next(JsonEvent& event) {
  if (where_ == Where::kStart) TS_RETURN_IF_ERROR(start());
  for (;;) {
    while (where_ == Where::kMembers) TS_RETURN_IF_ERROR(pass_member());
    if (where_ == Where::kEnd) {
      if (saw_events_) return false;
      return base::invalid_argument("{}: no \"traceEvents\" array at the top level", input_.name());
    }
    TS_ASSIGN_OR_RETURN(char c, peek());
    if (c == ',') {
      ++at_;
      TS_ASSIGN_OR_RETURN(c, peek());
    }
    if (c == ']' || (c == '\0' && bare_array_)) {
      at_ += c == ']' ? 1 : 0;
      where_ = bare_array_ ? Where::kEnd : Where::kMembers;
      continue;
    }
    if (c == '\0') return cut_off();
    if (c != '{') return damaged("an event's object", c);
    TS_ASSIGN_OR_RETURN(const bool fits, pass_value(kLargest));
    ++events_;
    if (fits && parse(event)) return true;
    ++invalid_;
  }
}

absl::Status JsonEvents::check_any_valid() const {
  if (events_ == 0 || invalid_ < events_) return absl::OkStatus();
  return base::invalid_argument("{}: none of its {} events is valid JSON", input_.name(), events_);
}

bool JsonEvents::parse(JsonEvent& event) {
  event = JsonEvent{};
  const std::string_view json = kept();
  simdjson::ondemand::document document;
  simdjson::ondemand::object object;
  if (parser_.iterate(json.data(), json.size(), json.size() + simdjson::SIMDJSON_PADDING)
          .get(document) ||
      document.get_object().get(object)) {
    return false;
  }
  for (auto field : object) {
    std::string_view key;
    simdjson::ondemand::value value;
    if (field.unescaped_key().get(key) || field.value().get(value)) return false;
    if (key == "name") {
      event.name = plain_text(value);
    } else if (key == "ph") {
      event.phase = plain_text(value);
    } else if (key == "cat") {
      event.category = plain_text(value);
    } else if (key == "ts") {
      event.begin_ns = time_of(value);
    } else if (key == "dur") {
      event.duration_ns = time_of(value);
    } else if (key == "pid") {
      event.pid = plain_text(value);
    } else if (key == "tid") {
      event.tid = plain_text(value);
    } else if (key == "id") {
      event.id = plain_text(value);
    } else if (key == "args") {
      simdjson::ondemand::object args;
      if (!value.get_object().get(args) && args.raw_json().get(event.args)) return false;
    }
  }
  return true;
}

std::optional<double> JsonArgs::number(Value& value) {
  const std::string_view text = plain_text(value);
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<std::uint64_t> JsonArgs::unsigned_number(Value& value) {
  const std::string_view text = plain_text(value);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::string_view JsonArgs::string(Value& value) {
  std::string_view text;
  return value.get_string().get(text) ? std::string_view{} : text;
}

std::string JsonArgs::compact(Value& value) {
  simdjson::ondemand::json_type type{};
  if (value.type().get(type)) return {};
  std::string_view text;
  if (type == simdjson::ondemand::json_type::array) {
    simdjson::ondemand::array array;
    if (value.get_array().get(array) || array.raw_json().get(text)) return {};
  } else if (type == simdjson::ondemand::json_type::object) {
    simdjson::ondemand::object object;
    if (value.get_object().get(object) || object.raw_json().get(text)) return {};
  } else {
    text = value.raw_json_token();
  }
  return squeezed(text);
}

std::string_view JsonArgs::repaired(std::string_view args) {
  scratch_ = without_bare_words(args);
  const std::size_t size = scratch_.size();
  scratch_.resize(size + simdjson::SIMDJSON_PADDING);
  return std::string_view(scratch_).substr(0, size);
}

std::string without_bare_words(std::string_view json) {
  std::string text;
  text.reserve(json.size());
  for (std::size_t i = 0; i < json.size();) {
    const char c = json[i];
    std::size_t end = i + 1;
    if (c == '"') {
      while (end < json.size() && json[end] != '"') end += json[end] == '\\' ? 2 : 1;
      end = std::min(end + 1, json.size());
      text.append(json.substr(i, end - i));
    } else if (std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '+') {
      while (end < json.size() && (std::isalnum(static_cast<unsigned char>(json[end])) != 0 ||
                                   json[end] == '.' || json[end] == '-' || json[end] == '+')) {
        ++end;
      }
      const std::string_view word = json.substr(i, end - i);
      const bool known = word == "true" || word == "false" || word == "null" ||
                         (word.size() > 1 && c == '-' && word[1] >= '0' && word[1] <= '9');
      text.append(known ? word : "null");
    } else {
      while (end < json.size() && std::isdigit(static_cast<unsigned char>(c)) != 0 &&
             (std::isalnum(static_cast<unsigned char>(json[end])) != 0 || json[end] == '.' ||
              json[end] == '-' || json[end] == '+')) {
        ++end;  // a number whole, its exponent is no word
      }
      text.append(json.substr(i, end - i));
    }
    i = end;
  }
  return text;
}

}  // namespace tachostat::trace
