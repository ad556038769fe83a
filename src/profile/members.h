// Strict reading of JSON members: what is missing, of another type or out of range is named in the
// error by its path, e.g. "layers[3].time.count".
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace tachostat::profile {

// An object inside a document, and the path to it for messages. Refers to the document.
class Members {
 public:
  Members(const nlohmann::json& object, std::string path)
      : object_(&object), path_(std::move(path)) {}

  absl::Status read(const char* name, std::string& to) const;
  absl::Status read(const char* name, std::vector<std::string>& to) const;
  absl::Status read(const char* name, bool& to) const;
  // An object of numbers, at most 1000.
  absl::Status read(const char* name, std::map<std::string, double>& to) const;
  absl::Status read(const char* name, std::uint64_t& to) const;
  // A whole number from `least` to `most`.
  absl::Status read(const char* name, int least, int most, int& to) const;
  // Not negative; null reads as -1, "unknown", where that is allowed.
  absl::Status read(const char* name, double& to) const;
  absl::Status read_any(const char* name, double& to) const;  // of any sign
  absl::Status read_or_null(const char* name, double& to) const;
  absl::StatusOr<Members> object(const char* name) const;
  // An array of at most `most` elements.
  absl::StatusOr<const nlohmann::json*> array(const char* name, std::size_t most) const;

  // For members that older writers don't know.
  bool has(const char* name) const { return object_->contains(name); }
  std::vector<std::string> names() const;  // of all members
  std::string path_of(const char* name) const;

 private:
  absl::StatusOr<const nlohmann::json*> find(const char* name) const;

  const nlohmann::json* object_;
  std::string path_;
};

// Parses a document and sees that it is an object of the given version.
absl::StatusOr<nlohmann::json> parse_document(std::string_view text, std::string_view what,
                                              int version);

// null for -1, "unknown".
inline nlohmann::ordered_json number_or_null(double value) {
  return value < 0 ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(value);
}

}  // namespace tachostat::profile
