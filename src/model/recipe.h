// What is done to a network before an engine compiles it. A recipe is a list of passes with their
// arguments, applied in order to the untouched file each time that it is loaded: the same file and
// recipe always give the same network. docs/design/recipe-format.md is the format on disk.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace tachostat::model {

// Immutable value, cheap to copy, safe to read from any thread.
class Recipe {
 public:
  struct Step {
    std::string pass;       // as the engine's table of passes names it: "quantise"
    std::string arguments;  // a JSON object in canonical form: keys in order, no spaces
  };

  Recipe() = default;  // the network as its file describes it
  // InvalidArgument: a step without a pass, or arguments that are no JSON object.
  static absl::StatusOr<Recipe> Create(std::string name, std::vector<Step> steps);

  bool empty() const { return content_ == nullptr; }
  std::string_view name() const;  // for people: "int8 41/57"
  std::span<const Step> steps() const;
  // SHA-256 over the steps, not the name; empty for the empty recipe.
  std::string_view hash() const;
  // Readable and unique: "int8 41/57#3fa9c2d1"; empty for the empty recipe.
  std::string id() const;

  friend bool operator==(const Recipe& a, const Recipe& b) { return a.hash() == b.hash(); }

 private:
  struct Content {
    std::string name, hash;
    std::vector<Step> steps;
  };
  explicit Recipe(std::shared_ptr<const Content> content) : content_(std::move(content)) {}

  std::shared_ptr<const Content> content_;
};

// {"name":…,"steps":[{"pass":…,"arguments":{…}},…]}; "null" for the empty recipe.
std::string to_json(const Recipe& recipe);
absl::StatusOr<Recipe> recipe_from_json(std::string_view json);

// One more step at the end; the name stays.
absl::StatusOr<Recipe> with_step(const Recipe& recipe, Recipe::Step step);

}  // namespace tachostat::model
