// The stage before quantisation: parts of the network that the engine can write more cheaply, each
// kind raced against the network as it is.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "app/optimize/journal.h"
#include "engine/engine.h"
#include "model/model.h"

namespace tachostat::app {

struct Rewriting {
  model::Recipe recipe = {};            // empty: nothing is found, or nothing pays
  std::vector<std::string> notes = {};  // one line for each kind, with what it measured
};

struct RewritingOptions {
  model::Variant base = {};  // as it would run otherwise, with the inputs' shapes
  std::uint64_t seed = 1;
  // False stops with Cancelled. May be null.
  std::function<bool(std::string_view stage, double done)> progress = {};
};

absl::StatusOr<Rewriting> choose_rewrites(base::Clock& clock, engine::Engine& engine,
                                          const model::Graph& declared,
                                          const std::vector<engine::Tensor>& inputs,
                                          Journal& journal, const RewritingOptions& options);

}  // namespace tachostat::app
