// Variants raced against each other on one request, all loaded, in rounds: whatever disturbs the
// machine disturbs all. Each round's order is drawn anew. Rounds are for those that may win: after
// a quarter of them and after half, the slower half of what is no baseline leaves (successive
// halving: Jamieson and Talwalkar 2016).
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "engine/engine.h"
#include "model/model.h"

namespace tachostat::app {

struct LineUpOptions {
  bool saturate = false;  // keep every stream busy, instead of one request at a time
  int rounds = 20;
  // So many of the first variants run in every round, whatever they take; and so does whatever is
  // nearly as fast as the fastest. By default nothing leaves.
  std::size_t stay = std::numeric_limits<std::size_t>::max();
  base::Duration turn = std::chrono::milliseconds(150);  // of one variant in one round, at least
  std::uint64_t seed = 1;
  // Energy used since some moment, by all that runs here; nothing: not known just now. May be null.
  std::function<std::optional<double>()> joules = {};
  // Rounds done; false stops early, with what was measured. May be null.
  std::function<bool(int done)> progress = {};
};

// What became of one variant.
struct Lap {
  // Milliseconds per request by round: the time that a request took, or, saturated, the time
  // between two answers. Shorter than others' where it left.
  std::vector<double> ms = {};
  // Per request, of the rounds in which it was measured.
  std::vector<double> joules = {};
  std::uint64_t memory_bytes = 0;  // Session::memory_bytes
};

// By variant.
absl::StatusOr<std::vector<Lap>> line_up(base::Clock& clock, engine::Engine& engine,
                                         const model::Graph& graph,
                                         std::span<const model::Variant> variants,
                                         const std::vector<engine::Tensor>& inputs,
                                         const LineUpOptions& options);

// candidate ÷ base over rounds: geometric mean and a 95 % interval that is valid however many
// rounds were run (verify::SequentialTest).
struct Ratio {
  double value = 1, low = 0, high = 0;
  int rounds = 0;
  // The interval lies below 1 at a level that is shared out among all that race: with nothing but
  // equals, one is said to be faster in 1 % of races at most.
  bool faster = false;
};
// "0.900 (0.880–0.920)".
std::string to_string(const Ratio& ratio);
// `rivals`: how many are held against that base.
Ratio ratio_of(std::span<const double> base, std::span<const double> candidate, std::size_t rivals);

}  // namespace tachostat::app
