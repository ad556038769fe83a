#include "govern/loaded.h"

#include <algorithm>

#include "base/log.h"
#include "base/status.h"
#include "engine/taken.h"

namespace tachostat::govern {
namespace {

std::string precision_difference(const model::Variant& variant, const engine::Applied& applied) {
  if (variant.precision == model::Precision::kDefault) return "";
  const std::string_view asked = model::name_of(variant.precision);
  if (!applied.precision.empty() && applied.precision != asked) {
    return fmt::format("asked for {}, the engine runs {}", asked, applied.precision);
  }
  // A session may claim a precision that no layer has.
  const bool any = std::any_of(applied.layers.begin(), applied.layers.end(),
                               [&](const auto& layer) { return layer.precision == asked; });
  if (applied.layers.empty() || any) return "";
  return fmt::format("asked for {}, but none of the {} layers runs in it", asked,
                     applied.layers.size());
}

}  // namespace

std::string recipe_difference(const model::Variant& variant, const engine::Applied& applied) {
  if (std::string difference = precision_difference(variant, applied); !difference.empty()) {
    return difference;
  }
  if (variant.streams > 0 && applied.streams > 0 && applied.streams != variant.streams) {
    return fmt::format("asked for {} streams, the engine runs {}", variant.streams,
                       applied.streams);
  }
  if (variant.threads > 0 && applied.threads > 0 && applied.threads != variant.threads) {
    return fmt::format("asked for {} threads, the engine runs {}", variant.threads,
                       applied.threads);
  }
  const engine::IntegerLayers integer = engine::integer_layers(variant.recipe, applied);
  if (integer.asked > 0 && static_cast<int>(integer.left.size()) == integer.asked) {
    return fmt::format("asked for {} layers on integers, the engine runs none so", integer.asked);
  }
  return "";
}

std::size_t LoadedVariants::counted() const {
  return static_cast<std::size_t>(std::count_if(
      loaded_.begin(), loaded_.end(), [](const auto& entry) { return !entry.second.extra; }));
}

absl::Status LoadedVariants::make_room(const std::vector<std::string>& keep) {
  while (counted() >= limit_) {
    auto oldest = loaded_.end();
    for (auto entry = loaded_.begin(); entry != loaded_.end(); ++entry) {
      const bool kept = std::find(keep.begin(), keep.end(), entry->first) != keep.end();
      if (kept || entry->second.extra) continue;
      if (oldest == loaded_.end() || entry->second.used < oldest->second.used) oldest = entry;
    }
    if (oldest == loaded_.end()) {
      return absl::ResourceExhaustedError(fmt::format(
          "{} variants are loaded, at most {} may be, and all are needed", counted(), limit_));
    }
    const std::string id = oldest->first;
    unload(id);
    if (contains(id)) return base::internal("variant '{}' could not be unloaded for room", id);
  }
  return absl::OkStatus();
}

absl::Status LoadedVariants::load(const model::Variant& variant,
                                  const std::vector<std::string>& keep) {
  if (const auto found = loaded_.find(variant.id()); found != loaded_.end()) {
    found->second.used = ++uses_;
    return absl::OkStatus();
  }
  TS_RETURN_IF_ERROR(make_room(keep));
  return load_new(variant, false);
}

absl::Status LoadedVariants::load_extra(const model::Variant& variant) {
  if (loaded_.contains(variant.id())) return absl::OkStatus();
  return load_new(variant, true);
}

absl::Status LoadedVariants::load_new(const model::Variant& variant, bool extra) {
  TS_ASSIGN_OR_RETURN(engine::Applied applied, plant_.load(variant));
  const std::string id = variant.id();
  loaded_[id] = {.applied = std::move(applied), .used = ++uses_, .extra = extra};
  known_[id].variant = variant;
  return absl::OkStatus();
}

void LoadedVariants::unload(const std::string& variant) {
  if (!loaded_.contains(variant)) return;
  if (const absl::Status status = plant_.unload(variant); !status.ok()) {
    spdlog::warn("variant '{}' stays loaded: {}", variant, status.ToString());
    return;
  }
  loaded_.erase(variant);
}

const engine::Applied* LoadedVariants::applied(const std::string& variant) const {
  const auto found = loaded_.find(variant);
  return found == loaded_.end() ? nullptr : &found->second.applied;
}

int LoadedVariants::streams(const std::string& variant) const {
  const engine::Applied* applied = this->applied(variant);
  if (applied != nullptr && applied->streams > 0) return applied->streams;
  const auto known = known_.find(variant);
  return known == known_.end() ? 1 : std::max(1, known->second.variant.streams);
}

void LoadedVariants::set_companion(const model::Variant& variant, const std::string& companion) {
  Known& known = known_[variant.id()];
  known.variant = variant;
  known.companion = companion;
}

std::vector<std::string> LoadedVariants::chain(const std::string& variant) const {
  std::vector<std::string> chain;
  std::string next = variant;
  // The second condition ends a circle, which set_companion() does not forbid.
  while (!next.empty() && std::find(chain.begin(), chain.end(), next) == chain.end()) {
    chain.push_back(next);
    const auto known = known_.find(next);
    next = known == known_.end() ? "" : known->second.companion;
  }
  return chain;
}

model::Plan LoadedVariants::plan_for(const Choice& choice, int queue_limit) {
  model::Plan plan{.generation = ++generation_,
                   .max_batch = choice.max_batch,
                   .max_batch_delay = choice.max_batch_delay,
                   .concurrency = 0,
                   .queue_limit = queue_limit};
  const std::vector<std::string> chain = this->chain(choice.variant);
  for (const std::string& id : chain) {
    const auto known = known_.find(id);
    model::Plan::Share share{.variant = id};
    // The last one takes every request; a model with one shape only has a chain of one.
    if (known != known_.end() && id != chain.back()) share.shapes = known->second.variant.shapes;
    plan.shares.push_back(std::move(share));
    // No more than run side by side, so that requests wait where a newer plan can still route them.
    plan.concurrency += streams(id);
    if (const auto loaded = loaded_.find(id); loaded != loaded_.end()) {
      loaded->second.used = ++uses_;
    }
  }
  return plan;
}

}  // namespace tachostat::govern
