// Which variants are loaded, and plans made of them. Keeps their number bounded.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "govern/govern.h"

namespace tachostat::govern {

// Why `applied` is not what `variant` asked for; empty when it is. What the engine does not tell is
// not held against it.
std::string recipe_difference(const model::Variant& variant, const engine::Applied& applied);

// Thread-compatible.
class LoadedVariants {
 public:
  LoadedVariants(Plant& plant, std::size_t limit) : plant_(plant), limit_(limit) {}

  // Unloads the ones used longest ago to make room, but none of `keep`. ResourceExhausted when all
  // are to be kept.
  absl::Status load(const model::Variant& variant, const std::vector<std::string>& keep);
  // Beside the limit, and never unloaded to make room; the caller unloads it soon.
  absl::Status load_extra(const model::Variant& variant);
  // Logs an error: a variant that cannot be unloaded stays known.
  void unload(const std::string& variant);

  bool contains(const std::string& variant) const { return loaded_.contains(variant); }
  const engine::Applied* applied(const std::string& variant) const;
  int streams(const std::string& variant) const;  // as applied, at least 1

  // A variant with a shape bucket answers no other shape; `companion` does, by itself or with its
  // own companion. Kept after unloading.
  void set_companion(const model::Variant& variant, const std::string& companion);
  // The variant, its companion, the companion's companion: together they answer every shape.
  std::vector<std::string> chain(const std::string& variant) const;

  model::Plan plan_for(const Choice& choice, int queue_limit);

 private:
  struct Known {
    model::Variant variant;
    std::string companion;
  };
  struct Loaded {
    engine::Applied applied;
    std::uint64_t used = 0;  // by order, not time
    bool extra = false;
  };

  absl::Status load_new(const model::Variant& variant, bool extra);
  std::size_t counted() const;  // without extras
  absl::Status make_room(const std::vector<std::string>& keep);

  Plant& plant_;
  const std::size_t limit_;
  std::map<std::string, Known> known_;
  std::map<std::string, Loaded> loaded_;
  std::uint64_t uses_ = 0;
  std::uint64_t generation_ = 0;
};

}  // namespace tachostat::govern
