// How requests reached a model lately, for the readings of its profiles.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/readings.h"
#include "app/two_windows.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "model/model.h"
#include "schedule/schedule.h"
#include "serve/serve.h"

namespace tachostat::app {

// Thread-safe: engine and network threads add. Holds the last one to two minutes in which
// requests came, as two windows of which the older one is dropped.
class ServingWindow {
 public:
  static constexpr base::Duration kLength = std::chrono::seconds(60);
  static constexpr std::size_t kMostVariants = 16;

  ServingWindow(const base::Clock& clock, const model::Graph& graph);

  void answered(const schedule::Answered& answered);
  void wired(const serve::Wired& wired);

  // Times and batches are those of `variant`; rates and shares are of all requests of the model.
  void fill(std::string_view variant, int streams, Readings& readings) const;

 private:
  struct PerVariant {
    std::string variant;
    Spread queue{}, compute{}, batch{};
  };
  struct Window {
    base::Time begin{};
    std::vector<PerVariant> variants{};
    Spread latency{};
    double busy_seconds = 0;  // of inferences, added up
    Spread decode{}, encode{}, text{};
    std::vector<Spread> asked{};  // by output
  };
  Window window_from(base::Time now) const;
  void begin_window(base::Time now) TS_REQUIRES(mutex_);
  Window both() const;
  static void add(const Window& from, Window& to);

  const base::Clock& clock_;
  const std::vector<std::string> outputs_;
  mutable base::Mutex mutex_;
  TwoWindows<Window> windows_ TS_GUARDED_BY(mutex_);
};

}  // namespace tachostat::app
