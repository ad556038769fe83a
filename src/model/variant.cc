#include <limits>
#include <nlohmann/json.hpp>

#include "base/status.h"
#include "model/model.h"

namespace tachostat::model {
namespace {

using Json = nlohmann::json;

constexpr int kMostParallel = 65536;  // threads, streams or batch: beyond it is a typing error

absl::Status wrong(std::string_view member, std::string_view expected, const Json& found) {
  return base::invalid_argument("variant member '{}' must be {}, found {}", member, expected,
                                found.dump(-1, ' ', false, Json::error_handler_t::replace));
}

absl::Status read_text(std::string_view member, const Json& value, std::string& to) {
  if (!value.is_string() || value.get_ref<const std::string&>().empty()) {
    return wrong(member, "a non-empty string", value);
  }
  to = value.get<std::string>();
  return absl::OkStatus();
}

absl::Status read_count(std::string_view member, const Json& value, int least, int& to) {
  const bool whole = value.is_number_integer();
  if (!whole || value < least || value > kMostParallel) {
    return wrong(member, fmt::format("a whole number from {} to {}", least, kMostParallel), value);
  }
  to = value.get<int>();
  return absl::OkStatus();
}

absl::Status read_shapes(std::string_view member, const Json& value, InputShapes& to) {
  if (!value.is_object()) return wrong(member, "an object of shapes by input name", value);
  to.clear();
  for (const auto& [input, dimensions] : value.items()) {
    const std::string place = fmt::format("{}.{}", member, input);
    if (!dimensions.is_array()) return wrong(place, "an array of dimensions", dimensions);
    Shape shape;
    for (const Json& dimension : dimensions) {
      const bool good = dimension.is_number_integer() && dimension >= 1 &&
                        dimension <= std::numeric_limits<std::int64_t>::max();
      if (!good) return wrong(place, "an array of whole numbers from 1", dimensions);
      shape.push_back(dimension.get<std::int64_t>());
    }
    to[input] = std::move(shape);
  }
  return absl::OkStatus();
}

absl::Status read_precision(std::string_view member, const Json& value, Precision& to) {
  std::string name;
  TS_RETURN_IF_ERROR(read_text(member, value, name));
  const absl::StatusOr<Precision> precision = precision_of(name);
  if (!precision.ok()) {
    return base::with_context(precision.status(), fmt::format("variant member '{}'", member));
  }
  to = *precision;
  return absl::OkStatus();
}

absl::Status read_member(const std::string& member, const Json& value, Variant& variant) {
  if (member == "engine") return read_text(member, value, variant.engine);
  if (member == "device") return read_text(member, value, variant.device);
  if (member == "precision") return read_precision(member, value, variant.precision);
  if (member == "threads") return read_count(member, value, 0, variant.threads);
  if (member == "streams") return read_count(member, value, 0, variant.streams);
  if (member == "batch") return read_count(member, value, 1, variant.batch);
  if (member == "shapes") return read_shapes(member, value, variant.shapes);
  if (member == "recipe") {
    TS_ASSIGN_OR_RETURN(variant.recipe, recipe_from_json(value.dump()));
    return absl::OkStatus();
  }
  if (member == "pinning") {
    if (!value.is_boolean()) return wrong(member, "true or false", value);
    variant.pinning = value.get<bool>();
    return absl::OkStatus();
  }
  return base::invalid_argument(
      "variant has no member '{}': it has engine, device, precision, threads, streams, batch, "
      "pinning, shapes and recipe",
      member);
}

}  // namespace

std::string_view name_of(Precision precision) {
  switch (precision) {
    case Precision::kDefault:
      return "default";
    case Precision::kF32:
      return "f32";
    case Precision::kBF16:
      return "bf16";
    case Precision::kF16:
      return "f16";
  }
  return "default";
}

absl::StatusOr<Precision> precision_of(std::string_view name) {
  for (const Precision precision :
       {Precision::kDefault, Precision::kF32, Precision::kBF16, Precision::kF16}) {
    if (name_of(precision) == name) return precision;
  }
  return base::invalid_argument("no precision '{}': use default, f32, bf16 or f16", name);
}

std::string Variant::id() const {
  std::string text = fmt::format("{}.{} {} {}t {}s b{}", engine, device, name_of(precision),
                                 threads, streams, batch);
  if (pinning) text += " pinned";
  if (!shapes.empty()) text += " " + to_string(shapes);
  if (!recipe.empty()) text += " " + recipe.id();
  return text;
}

std::string to_json(const Variant& variant) {
  Json shapes = Json::object();
  for (const auto& [name, shape] : variant.shapes) shapes[name] = shape;
  Json json = {{"engine", variant.engine},
               {"device", variant.device},
               {"precision", name_of(variant.precision)},
               {"threads", variant.threads},
               {"streams", variant.streams},
               {"batch", variant.batch},
               {"pinning", variant.pinning},
               {"shapes", shapes}};
  if (!variant.recipe.empty()) json["recipe"] = Json::parse(to_json(variant.recipe));
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

absl::StatusOr<Variant> variant_from_json(std::string_view json) {
  const Json parsed = Json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (parsed.is_discarded()) return base::invalid_argument("a variant's text is not JSON");
  if (!parsed.is_object()) return wrong("(whole)", "an object", parsed);
  Variant variant;
  for (const auto& [member, value] : parsed.items()) {
    TS_RETURN_IF_ERROR(read_member(member, value, variant));
  }
  return variant;
}

}  // namespace tachostat::model
