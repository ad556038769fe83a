#include "profile/members.h"

#include <cmath>

#include "base/status.h"

namespace tachostat::profile {
namespace {

using nlohmann::json;

absl::Status wrong(const std::string& path, std::string_view expected, const json& found) {
  return base::invalid_argument("member '{}': expected {}, found {}", path, expected,
                                found.is_number() ? found.dump() : found.type_name());
}

}  // namespace

std::string Members::path_of(const char* name) const {
  return path_.empty() ? name : fmt::format("{}.{}", path_, name);
}

absl::StatusOr<const json*> Members::find(const char* name) const {
  const auto found = object_->find(name);
  if (found == object_->end())
    return base::invalid_argument("member '{}' is missing", path_of(name));
  return &*found;
}

absl::Status Members::read(const char* name, std::string& to) const {
  TS_ASSIGN_OR_RETURN(const json* value, find(name));
  if (!value->is_string()) return wrong(path_of(name), "a string", *value);
  to = value->get<std::string>();
  return absl::OkStatus();
}

absl::Status Members::read(const char* name, std::vector<std::string>& to) const {
  TS_ASSIGN_OR_RETURN(const json* value, find(name));
  if (!value->is_array()) return wrong(path_of(name), "an array of strings", *value);
  for (const json& element : *value) {
    if (!element.is_string()) return wrong(path_of(name), "an array of strings", element);
    to.push_back(element.get<std::string>());
  }
  return absl::OkStatus();
}

absl::Status Members::read(const char* name, std::map<std::string, double>& to) const {
  constexpr std::size_t kMost = 1000;
  TS_ASSIGN_OR_RETURN(const json* value, find(name));
  if (!value->is_object()) return wrong(path_of(name), "an object of numbers", *value);
  if (value->size() > kMost) return wrong(path_of(name), "at most 1000 members", value->size());
  for (const auto& [key, element] : value->items()) {
    if (!element.is_number()) return wrong(path_of(name), "an object of numbers", element);
    to[key] = element.get<double>();
  }
  return absl::OkStatus();
}

absl::Status Members::read(const char* name, bool& to) const {
  TS_ASSIGN_OR_RETURN(const json* value, find(name));
  if (!value->is_boolean()) return wrong(path_of(name), "true or false", *value);
  to = value->get<bool>();
  return absl::OkStatus();
}

absl::Status Members::read(const char* name, std::uint64_t& to) const {
  TS_ASSIGN_OR_RETURN(const json* value, find(name));
  if (!value->is_number_unsigned()) return wrong(path_of(name), "a whole number from 0", *value);
  to = value->get<std::uint64_t>();
  return absl::OkStatus();
}

absl::Status Members::read(const char* name, int least, int most, int& to) const {
  TS_ASSIGN_OR_RETURN(const json* value, find(name));
  if (!value->is_number_integer() || *value < least || *value > most) {
    return wrong(path_of(name), fmt::format("a whole number from {} to {}", least, most), *value);
  }
  to = value->get<int>();
  return absl::OkStatus();
}

absl::Status Members::read(const char* name, double& to) const {
  TS_ASSIGN_OR_RETURN(const json* value, find(name));
  if (!value->is_number() || !std::isfinite(value->get<double>()) || value->get<double>() < 0) {
    return wrong(path_of(name), "a number from 0", *value);
  }
  to = value->get<double>();
  return absl::OkStatus();
}

absl::Status Members::read_any(const char* name, double& to) const {
  TS_ASSIGN_OR_RETURN(const json* value, find(name));
  if (!value->is_number() || !std::isfinite(value->get<double>())) {
    return wrong(path_of(name), "a number", *value);
  }
  to = value->get<double>();
  return absl::OkStatus();
}

std::vector<std::string> Members::names() const {
  std::vector<std::string> names;
  for (const auto& [name, value] : object_->items()) names.push_back(name);
  return names;
}

absl::Status Members::read_or_null(const char* name, double& to) const {
  TS_ASSIGN_OR_RETURN(const json* value, find(name));
  if (value->is_null()) {
    to = -1;
    return absl::OkStatus();
  }
  return read(name, to);
}

absl::StatusOr<Members> Members::object(const char* name) const {
  TS_ASSIGN_OR_RETURN(const json* value, find(name));
  if (!value->is_object()) return wrong(path_of(name), "an object", *value);
  return Members(*value, path_of(name));
}

absl::StatusOr<const json*> Members::array(const char* name, std::size_t most) const {
  TS_ASSIGN_OR_RETURN(const json* value, find(name));
  if (!value->is_array()) return wrong(path_of(name), "an array", *value);
  if (value->size() > most) {
    return base::invalid_argument("member '{}': expected at most {} elements, found {}",
                                  path_of(name), most, value->size());
  }
  return value;
}

absl::StatusOr<json> parse_document(std::string_view text, std::string_view what, int version) {
  json document;
  try {
    document = json::parse(text);
  } catch (const json::exception& error) {
    return base::invalid_argument("{}: not JSON: {}", what, error.what());
  }
  if (!document.is_object()) {
    return base::invalid_argument("{}: expected a JSON object, found {}", what,
                                  document.type_name());
  }
  const auto found = document.find("version");
  if (found == document.end()) {
    return base::invalid_argument("{}: member 'version' is missing; is it a {}?", what, what);
  }
  if (!found->is_number_integer() || *found != version) {
    return base::invalid_argument("{}: member 'version': expected {}, found {}", what, version,
                                  found->is_number() ? found->dump() : found->type_name());
  }
  return document;
}

}  // namespace tachostat::profile
