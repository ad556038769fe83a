// What an optimisation has measured so far, on disk, so that one that was stopped goes on where it
// was: every expensive result by what it is a result of.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "optimize/bench.h"
#include "store/store.h"

namespace tachostat::app {

class Journal {
 public:
  // `run` is everything that all results depend on: model, data, engine, machine, options.
  Journal(base::Clock& clock, store::Store& store, std::string run)
      : clock_(clock), store_(store), run_(std::move(run)) {}

  // The kept result of `what` (JSON text); else that of `make`, kept. Results that could not be
  // kept are an error: the disk is full, and going on would lose hours.
  absl::StatusOr<std::string> once(std::string_view what,
                                   const std::function<absl::StatusOr<std::string>()>& make);
  int reused() const { return reused_; }

 private:
  base::Clock& clock_;
  store::Store& store_;
  const std::string run_;
  int reused_ = 0;
};

// Profiles each set of variants once.
class JournalBench final : public optimize::Bench {
 public:
  JournalBench(Journal& journal, optimize::Bench& bench) : journal_(journal), bench_(bench) {}
  absl::StatusOr<std::vector<profile::Profile>> profile(
      std::span<const model::Variant> variants) override;

 private:
  Journal& journal_;
  optimize::Bench& bench_;
};

}  // namespace tachostat::app
