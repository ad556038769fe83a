#include "model/steps.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/status.h"

namespace tachostat::model {
namespace {

using Json = nlohmann::json;

constexpr int kMostLevels = 65536;
constexpr int kMostChannels = 1 << 24;

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

absl::Status wrong(std::string_view what, std::string_view expected, const Json& found) {
  return base::invalid_argument("{} must be {}, found {}", what, expected,
                                dump(found).substr(0, 100));
}

absl::StatusOr<Json> array_of(std::string_view pass, std::string_view arguments,
                              const std::string& member) {
  Json json = Json::parse(arguments, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains(member) || !json[member].is_array()) {
    return base::invalid_argument("pass '{}' needs an array '{}'", pass, member);
  }
  return std::move(json[member]);
}

absl::StatusOr<std::vector<std::string>> texts_of(std::string_view what, const Json& array) {
  std::vector<std::string> texts;
  for (const Json& one : array) {
    if (!one.is_string()) return wrong(fmt::format("each of '{}'", what), "a text", one);
    texts.push_back(one.get<std::string>());
  }
  return texts;
}

absl::StatusOr<std::vector<std::string>> names_of(std::string_view pass,
                                                  std::string_view arguments) {
  TS_ASSIGN_OR_RETURN(const Json layers, array_of(pass, arguments, "layers"));
  return texts_of("layers", layers);
}

absl::StatusOr<std::string> layer_of(const Json& json) {
  if (!json.is_object() || !json.contains("layer") || !json["layer"].is_string()) {
    return wrong("a step's place", "an object with a text 'layer'", json);
  }
  return json["layer"].get<std::string>();
}

absl::StatusOr<Edge> edge_of(const Json& json) {
  TS_ASSIGN_OR_RETURN(std::string layer, layer_of(json));
  const Json input = json.value("input", Json(0));
  if (!input.is_number_integer() || input < 0 || input > 65535) {
    return wrong("'input' of a step's place", "a whole number from 0", input);
  }
  return Edge{std::move(layer), input.get<int>()};
}

absl::StatusOr<std::vector<Edge>> edges_of(const Json& json, const std::string& member) {
  const Json places = json.is_object() ? json.value(member, Json()) : Json();
  if (!places.is_array()) return wrong(member, "an array of places", places);
  std::vector<Edge> edges;
  for (const Json& place : places) {
    TS_ASSIGN_OR_RETURN(Edge edge, edge_of(place));
    edges.push_back(std::move(edge));
  }
  return edges;
}

absl::StatusOr<std::vector<float>> numbers_of(const Json& json, const std::string& member) {
  const Json values = json.is_object() ? json.value(member, Json()) : Json();
  if (!values.is_array() || values.empty()) return wrong(member, "an array of numbers", values);
  std::vector<float> numbers;
  for (const Json& value : values) {
    if (!value.is_number() || !std::isfinite(value.get<float>())) {
      return wrong(member, "an array of finite numbers", value);
    }
    numbers.push_back(value.get<float>());
  }
  return numbers;
}

absl::StatusOr<int> levels_of(const Json& json, int otherwise) {
  const Json levels = json.value("levels", Json(otherwise));
  if (!levels.is_number_integer() || levels < 2 || levels > kMostLevels) {
    return wrong("levels", "a whole number from 2", levels);
  }
  return levels.get<int>();
}

absl::StatusOr<Quantise::Activation> activation_of(const Json& json) {
  Quantise::Activation activation;
  TS_ASSIGN_OR_RETURN(activation.edge, edge_of(json));
  TS_ASSIGN_OR_RETURN(activation.low, numbers_of(json, "low"));
  TS_ASSIGN_OR_RETURN(activation.high, numbers_of(json, "high"));
  TS_ASSIGN_OR_RETURN(activation.levels, levels_of(json, 256));
  bool good = activation.low.size() == activation.high.size();
  for (std::size_t i = 0; good && i < activation.low.size(); ++i) {
    good = activation.low[i] < activation.high[i];
  }
  if (!good) return wrong("a quantiser's range", "as many 'low' as higher 'high'", json);
  return activation;
}

absl::StatusOr<Quantise::Weight> weight_of(const Json& json) {
  Quantise::Weight weight;
  TS_ASSIGN_OR_RETURN(weight.edge, edge_of(json));
  TS_ASSIGN_OR_RETURN(weight.levels, levels_of(json, 255));
  const Json headroom = json.value("headroom", Json(1.0));
  if (!headroom.is_number() || !(headroom >= 1 && headroom <= 16)) {
    return wrong("headroom", "a number from 1 to 16", headroom);
  }
  weight.headroom = headroom.get<float>();
  return weight;
}

Json json_of(const Edge& edge) { return {{"layer", edge.layer}, {"input", edge.input}}; }

Json json_of(const std::vector<Edge>& edges) {
  Json array = Json::array();
  for (const Edge& edge : edges) array.push_back(json_of(edge));
  return array;
}

absl::StatusOr<std::vector<int>> indices_of(const Json& json, const std::string& member) {
  const Json values = json.is_object() ? json.value(member, Json()) : Json();
  if (!values.is_array() || values.empty()) return wrong(member, "an array of numbers", values);
  std::vector<int> indices;
  for (const Json& value : values) {
    if (!value.is_number_integer() || value < 0 || value > kMostChannels) {
      return wrong(fmt::format("each of '{}'", member), "a whole number from 0", value);
    }
    indices.push_back(value.get<int>());
  }
  return indices;
}

absl::StatusOr<Prune::Reader> reader_of(const Json& json, std::size_t dropped) {
  Prune::Reader reader;
  TS_ASSIGN_OR_RETURN(reader.edge, edge_of(json));
  TS_ASSIGN_OR_RETURN(reader.by, indices_of(json, "by"));
  TS_ASSIGN_OR_RETURN(reader.factor, numbers_of(json, "factor"));
  TS_ASSIGN_OR_RETURN(reader.offset, numbers_of(json, "offset"));
  for (const std::size_t size : {reader.by.size(), reader.factor.size(), reader.offset.size()}) {
    if (size == dropped) continue;
    return base::invalid_argument(
        "a reader of pruned channels needs 'by', 'factor' and 'offset' for each of {} dropped "
        "channels, found {}",
        dropped, size);
  }
  return reader;
}

// The shortest decimal that reads back as the same f32.
Json json_of(const std::vector<float>& values) {
  Json array = Json::array();
  for (const float value : values) array.push_back(std::stod(fmt::format("{}", value)));
  return array;
}

}  // namespace

absl::StatusOr<Recipe::Step> to_step(const Quantise& quantise) {
  Json activations = Json::array();
  for (const Quantise::Activation& activation : quantise.activations) {
    Json json = json_of(activation.edge);
    json["low"] = json_of(activation.low);
    json["high"] = json_of(activation.high);
    json["levels"] = activation.levels;
    activations.push_back(std::move(json));
  }
  Json weights = Json::array();
  for (const Quantise::Weight& weight : quantise.weights) {
    Json json = json_of(weight.edge);
    json["levels"] = weight.levels;
    json["headroom"] = weight.headroom;
    weights.push_back(std::move(json));
  }
  Json json = {{"activations", activations}, {"weights", weights}};
  if (quantise.simulated) json["simulated"] = true;
  return Recipe::Step{"quantise", dump(json)};
}

absl::StatusOr<Quantise> quantise_from(std::string_view arguments) {
  Quantise quantise;
  TS_ASSIGN_OR_RETURN(const Json activations, array_of("quantise", arguments, "activations"));
  for (const Json& json : activations) {
    TS_ASSIGN_OR_RETURN(Quantise::Activation activation, activation_of(json));
    quantise.activations.push_back(std::move(activation));
  }
  TS_ASSIGN_OR_RETURN(const Json weights, array_of("quantise", arguments, "weights"));
  for (const Json& json : weights) {
    TS_ASSIGN_OR_RETURN(Quantise::Weight weight, weight_of(json));
    quantise.weights.push_back(std::move(weight));
  }
  const Json whole = Json::parse(arguments, nullptr, /*allow_exceptions=*/false);
  quantise.simulated = whole.value("simulated", Json(false)) == Json(true);
  return quantise;
}

absl::StatusOr<Recipe::Step> to_step(const Shift& shift) {
  Json layers = Json::array();
  for (const Shift::Layer& layer : shift.layers) {
    layers.push_back({{"layer", layer.layer}, {"by", json_of(layer.by)}});
  }
  return Recipe::Step{"shift", dump({{"layers", layers}})};
}

absl::StatusOr<Shift> shift_from(std::string_view arguments) {
  Shift shift;
  TS_ASSIGN_OR_RETURN(const Json layers, array_of("shift", arguments, "layers"));
  for (const Json& json : layers) {
    TS_ASSIGN_OR_RETURN(std::string layer, layer_of(json));
    TS_ASSIGN_OR_RETURN(std::vector<float> by, numbers_of(json, "by"));
    shift.layers.push_back({std::move(layer), std::move(by)});
  }
  return shift;
}

absl::StatusOr<Recipe::Step> to_step(const Smooth& smooth) {
  Json groups = Json::array();
  for (const Smooth::Group& group : smooth.groups) {
    groups.push_back({{"activations", json_of(group.activations)},
                      {"weights", json_of(group.weights)},
                      {"largest", json_of(group.largest)}});
  }
  return Recipe::Step{"smooth", dump({{"groups", groups}, {"strength", smooth.strength}})};
}

absl::StatusOr<Smooth> smooth_from(std::string_view arguments) {
  Smooth smooth;
  TS_ASSIGN_OR_RETURN(const Json groups, array_of("smooth", arguments, "groups"));
  for (const Json& json : groups) {
    Smooth::Group group;
    TS_ASSIGN_OR_RETURN(group.activations, edges_of(json, "activations"));
    TS_ASSIGN_OR_RETURN(group.weights, edges_of(json, "weights"));
    TS_ASSIGN_OR_RETURN(group.largest, numbers_of(json, "largest"));
    smooth.groups.push_back(std::move(group));
  }
  const Json whole = Json::parse(arguments, nullptr, /*allow_exceptions=*/false);
  const Json strength = whole.value("strength", Json(0.5));
  if (!strength.is_number() || !(strength >= 0 && strength <= 1)) {
    return wrong("strength", "a number from 0 to 1", strength);
  }
  smooth.strength = strength.get<float>();
  return smooth;
}

std::string twin_of(const std::string& layer) { return layer + "/twin"; }

absl::StatusOr<Recipe::Step> to_step(const Twin& twin) {
  return Recipe::Step{"twin", dump({{"layers", twin.layers}})};
}

absl::StatusOr<Twin> twin_from(std::string_view arguments) {
  Twin twin;
  TS_ASSIGN_OR_RETURN(twin.layers, names_of("twin", arguments));
  return twin;
}

absl::StatusOr<Recipe::Step> to_step(const Rewrite& rewrite) {
  return Recipe::Step{rewrite.pass, dump({{"layers", rewrite.layers}})};
}

absl::StatusOr<Rewrite> rewrite_from(const Recipe::Step& step) {
  Rewrite rewrite{.pass = step.pass};
  TS_ASSIGN_OR_RETURN(rewrite.layers, names_of(step.pass, step.arguments));
  return rewrite;
}

absl::StatusOr<Recipe::Step> to_step(const Kernels& kernels) {
  Json layers = Json::array();
  for (const Kernels::Layer& layer : kernels.layers) {
    layers.push_back({{"layer", layer.layer}, {"kinds", layer.kinds}});
  }
  return Recipe::Step{"kernel", dump({{"layers", layers}})};
}

absl::StatusOr<Kernels> kernels_from(std::string_view arguments) {
  Kernels kernels;
  TS_ASSIGN_OR_RETURN(const Json layers, array_of("kernel", arguments, "layers"));
  for (const Json& json : layers) {
    TS_ASSIGN_OR_RETURN(std::string layer, layer_of(json));
    const Json kinds = json.value("kinds", Json());
    if (!kinds.is_array() || kinds.empty()) return wrong("kinds", "an array of texts", kinds);
    TS_ASSIGN_OR_RETURN(std::vector<std::string> names, texts_of("kinds", kinds));
    kernels.layers.push_back({std::move(layer), std::move(names)});
  }
  return kernels;
}

absl::StatusOr<Recipe::Step> to_step(const Prune& prune) {
  Json groups = Json::array();
  for (const Prune::Group& group : prune.groups) {
    Json readers = Json::array();
    for (const Prune::Reader& reader : group.readers) {
      Json json = json_of(reader.edge);
      json["by"] = reader.by;
      json["factor"] = json_of(reader.factor);
      json["offset"] = json_of(reader.offset);
      readers.push_back(std::move(json));
    }
    groups.push_back({{"layer", group.name}, {"dropped", group.dropped}, {"readers", readers}});
  }
  return Recipe::Step{"prune", dump({{"groups", groups}})};
}

absl::StatusOr<Prune> prune_from(std::string_view arguments) {
  Prune prune;
  TS_ASSIGN_OR_RETURN(const Json groups, array_of("prune", arguments, "groups"));
  for (const Json& json : groups) {
    Prune::Group group;
    TS_ASSIGN_OR_RETURN(group.name, layer_of(json));
    TS_ASSIGN_OR_RETURN(group.dropped, indices_of(json, "dropped"));
    for (std::size_t i = 1; i < group.dropped.size(); ++i) {
      if (group.dropped[i - 1] < group.dropped[i]) continue;
      return wrong("dropped", "in ascending order", json["dropped"]);
    }
    const Json readers = json.value("readers", Json());
    if (!readers.is_array()) return wrong("readers", "an array of places", readers);
    for (const Json& one : readers) {
      TS_ASSIGN_OR_RETURN(Prune::Reader reader, reader_of(one, group.dropped.size()));
      group.readers.push_back(std::move(reader));
    }
    prune.groups.push_back(std::move(group));
  }
  return prune;
}

std::string exposed_name(const Edge& edge) { return fmt::format("{}:{}", edge.layer, edge.input); }

absl::StatusOr<Recipe::Step> to_step(const Expose& expose) {
  return Recipe::Step{"expose", dump({{"edges", json_of(expose.edges)}})};
}

absl::StatusOr<Expose> expose_from(std::string_view arguments) {
  Expose expose;
  TS_ASSIGN_OR_RETURN(const Json edges, array_of("expose", arguments, "edges"));
  TS_ASSIGN_OR_RETURN(expose.edges, edges_of({{"edges", edges}}, "edges"));
  return expose;
}

}  // namespace tachostat::model
