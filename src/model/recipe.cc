#include "model/recipe.h"

#include <nlohmann/json.hpp>

#include "base/hash.h"
#include "base/status.h"

namespace tachostat::model {
namespace {

using Json = nlohmann::json;

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// Keys of nlohmann's objects are in order: dumping is canonical.
absl::StatusOr<std::string> canonical(const Recipe::Step& step) {
  const Json arguments = Json::parse(step.arguments, nullptr, /*allow_exceptions=*/false);
  if (!arguments.is_object()) {
    return base::invalid_argument("pass '{}' of a recipe needs its arguments as a JSON object",
                                  step.pass);
  }
  return dump(arguments);
}

absl::StatusOr<Recipe::Step> step_from(const Json& json) {
  const bool good = json.is_object() && json.contains("pass") && json["pass"].is_string() &&
                    json.contains("arguments") && json["arguments"].is_object();
  if (!good) {
    return base::invalid_argument(
        "a recipe's step must be {{\"pass\": TEXT, \"arguments\": {{…}}}}, found {}",
        dump(json).substr(0, 100));
  }
  return Recipe::Step{json["pass"].get<std::string>(), dump(json["arguments"])};
}

}  // namespace

absl::StatusOr<Recipe> Recipe::Create(std::string name, std::vector<Step> steps) {
  if (steps.empty()) return Recipe();
  std::string text;
  for (Step& step : steps) {
    if (step.pass.empty()) return base::invalid_argument("a recipe's step names no pass");
    TS_ASSIGN_OR_RETURN(step.arguments, canonical(step));
    text += fmt::format("{}\n{}\n", step.pass, step.arguments);
  }
  return Recipe(std::make_shared<const Content>(
      Content{std::move(name), base::sha256(std::string_view(text)), std::move(steps)}));
}

std::string_view Recipe::name() const { return empty() ? std::string_view() : content_->name; }
std::string_view Recipe::hash() const { return empty() ? std::string_view() : content_->hash; }
std::span<const Recipe::Step> Recipe::steps() const {
  return empty() ? std::span<const Step>() : std::span<const Step>(content_->steps);
}
std::string Recipe::id() const {
  return empty() ? "" : fmt::format("{}#{}", content_->name, content_->hash.substr(0, 8));
}

absl::StatusOr<Recipe> with_step(const Recipe& recipe, Recipe::Step step) {
  std::vector<Recipe::Step> steps(recipe.steps().begin(), recipe.steps().end());
  steps.push_back(std::move(step));
  return Recipe::Create(std::string(recipe.name()), std::move(steps));
}

std::string to_json(const Recipe& recipe) {
  if (recipe.empty()) return "null";
  Json steps = Json::array();
  for (const Recipe::Step& step : recipe.steps()) {
    steps.push_back({{"pass", step.pass}, {"arguments", Json::parse(step.arguments)}});
  }
  return dump({{"name", recipe.name()}, {"steps", steps}});
}

absl::StatusOr<Recipe> recipe_from_json(std::string_view json) {
  const Json parsed = Json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (parsed.is_null()) return Recipe();
  const bool good = parsed.is_object() && parsed.contains("name") && parsed["name"].is_string() &&
                    parsed.contains("steps") && parsed["steps"].is_array();
  if (!good) {
    return base::invalid_argument("a recipe must be {{\"name\": TEXT, \"steps\": […]}} or null");
  }
  std::vector<Recipe::Step> steps;
  for (const Json& step : parsed["steps"]) {
    TS_ASSIGN_OR_RETURN(Recipe::Step read, step_from(step));
    steps.push_back(std::move(read));
  }
  return Recipe::Create(parsed["name"].get<std::string>(), std::move(steps));
}

}  // namespace tachostat::model
