// What the parts of the governor share: the plant, what is loaded and verified, and the ways to
// act, each of which leaves its decision.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "base/mutex.h"
#include "govern/govern.h"
#include "govern/loaded.h"
#include "govern/windows.h"

namespace tachostat::govern {

// The published state. Thread-safe.
class StateBoard {
 public:
  GovernorState read() const {
    base::MutexLock lock(mutex_);
    return state_;
  }
  template <class Change>
  void change(Change change) {
    base::MutexLock lock(mutex_);
    change(state_);
  }

 private:
  mutable base::Mutex mutex_;
  GovernorState state_ TS_GUARDED_BY(mutex_);
};

// Used by the governor's thread only, but for `board`.
class Core {
 public:
  Core(base::Clock& clock, Plant& plant, DecisionLog& log, store::Store* store,
       GovernorOptions options);

  base::Clock& clock;
  Plant& plant;
  const GovernorOptions options;
  Targets targets;
  LoadedVariants loaded;
  Windows windows;
  StateBoard board;

  absl::Status start();
  const std::string& start_variant() const { return start_; }
  const std::string& serving() const { return serving_; }
  base::Time serving_since() const { return serving_since_; }

  // Verified variants; the start variant is there from the beginning, unmeasured.
  const std::map<std::string, verify::Point>& points() const { return points_; }
  void set_point(verify::Point point);
  void remove_point(const std::string& variant);
  // Its point with what `seen` measured of it; drop and memory stay.
  verify::Point measured(verify::Point point, const Observation& seen) const;
  // What a policy may choose from: within the accuracy target, the serving one kept in any case.
  verify::Frontier choices() const;

  // Loads a verified variant and its companions, if they are not.
  absl::Status ensure_loaded(const std::string& variant);
  // Those that serve, that are fallen back to, or that `also` names with their companions.
  std::vector<std::string> needed(const std::string& also = "") const;
  Choice choice_of(const model::Variant& variant, double service_ms) const;
  absl::Status publish(const Choice& choice);  // only the plan; for the blocks of a trial
  // The plan of what serves, when it depends on targets that have changed.
  absl::Status publish_targets();
  // Publishes and leaves a decision.
  absl::Status switch_to(const Choice& choice, const nlohmann::json& evidence,
                         const std::string& kind = "switch");

  // Not to be chosen for so long: it failed or hung.
  void bar(const std::string& variant, base::Duration time);
  bool barred(const std::string& variant) const;
  // After which an inference of what serves counts as hanging.
  base::Duration hang_after() const;

  void decide(std::string kind, std::string from, std::string to, std::string reason,
              const nlohmann::json& evidence);
  void record(verify::Trial trial);
  std::int64_t unix_ms() const;

 private:
  absl::Status load_any_shape_companion();
  void publish_frontier();

  DecisionLog& log_;
  store::Store* store_;
  std::map<std::string, verify::Point> points_;
  std::string start_;
  std::string serving_;
  base::Time serving_since_{};
  std::map<std::string, base::Time> barred_;  // until when
  bool store_failed_ = false;
};

// A variant with a shape bucket still does when the model has that one shape only.
bool answers_every_shape(const model::Graph& graph, const model::Variant& variant);

nlohmann::json numbers_of(const Observation& observation);

}  // namespace tachostat::govern
