#include "model/variant_file.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/hash.h"
#include "base/status.h"

namespace tachostat::model {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kFormat = "tachostat variant";

std::string dump(const Json& json, int indent = -1) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

std::string checksum_of(Json json) {
  json.erase("checksum");
  return base::sha256(std::string_view(dump(json)));
}

absl::Status read_text(const Json& json, const char* member, std::string& to) {
  const auto found = json.find(member);
  if (found == json.end() || !found->is_string()) {
    return base::invalid_argument("a variant file needs a text '{}'", member);
  }
  to = found->get<std::string>();
  return absl::OkStatus();
}

absl::Status read_number(const Json& json, const char* member, double& to) {
  const auto found = json.find(member);
  if (found == json.end() || !found->is_number() || !(found->get<double>() >= 0)) {
    return base::invalid_argument("a variant file needs a number '{}' of 0 or more", member);
  }
  to = found->get<double>();
  return absl::OkStatus();
}

absl::Status check_frame(const Json& json) {
  if (!json.is_object() || json.value("format", Json()) != kFormat) {
    return base::invalid_argument("not a variant file: it has no \"format\": \"{}\"", kFormat);
  }
  const Json version = json.value("version", Json());
  if (!version.is_number_integer() || version < 1 || version > VariantFile::kVersion) {
    return base::invalid_argument(
        "a variant file of version {}, expected {}: it was written by a newer Tachostat",
        dump(version), VariantFile::kVersion);
  }
  if (json.value("checksum", Json()) != checksum_of(json)) {
    return base::invalid_argument(
        "a damaged variant file: its checksum does not fit its content; make it again with "
        "`tachostat optimize`");
  }
  return absl::OkStatus();
}

}  // namespace

std::string to_json(const VariantFile& file) {
  Json proof = Json::parse(file.proof, nullptr, /*allow_exceptions=*/false);
  if (!proof.is_object()) proof = Json::object();
  Json json = {{"format", kFormat},
               {"version", VariantFile::kVersion},
               {"model", file.model_path},
               {"model_hash", file.model_hash},
               {"data_hash", file.data_hash},
               {"engine_version", file.engine_version},
               {"machine", file.machine},
               {"variant", Json::parse(to_json(file.variant))},
               {"metric", file.metric},
               {"drop_bound", file.drop_bound},
               {"service_ms", file.service_ms},
               {"capacity", file.capacity},
               {"proof", proof}};
  json["checksum"] = checksum_of(Json::parse(dump(json)));
  return dump(json, 1) + "\n";
}

absl::StatusOr<VariantFile> variant_file_from_json(std::string_view text) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  TS_RETURN_IF_ERROR(check_frame(json));
  VariantFile file;
  TS_RETURN_IF_ERROR(read_text(json, "model", file.model_path));
  TS_RETURN_IF_ERROR(read_text(json, "model_hash", file.model_hash));
  TS_RETURN_IF_ERROR(read_text(json, "data_hash", file.data_hash));
  TS_RETURN_IF_ERROR(read_text(json, "engine_version", file.engine_version));
  TS_RETURN_IF_ERROR(read_text(json, "machine", file.machine));
  TS_RETURN_IF_ERROR(read_text(json, "metric", file.metric));
  TS_RETURN_IF_ERROR(read_number(json, "drop_bound", file.drop_bound));
  TS_RETURN_IF_ERROR(read_number(json, "service_ms", file.service_ms));
  TS_RETURN_IF_ERROR(read_number(json, "capacity", file.capacity));
  TS_ASSIGN_OR_RETURN(file.variant, variant_from_json(dump(json.value("variant", Json()))));
  file.proof = dump(json.value("proof", Json::object()));
  return file;
}

}  // namespace tachostat::model
