// The calibrated roofline: what this machine reaches at each precision, from each level of its
// memory and in handing work to threads, by the number of threads, with its spread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "profile/fingerprint.h"
#include "profile/isa.h"
#include "profile/profile.h"

namespace tachostat::profile {

// One measured figure. Repeats are spread over the whole calibration, so that a slow moment of the
// machine touches a repeat of each figure rather than all repeats of one.
struct Figure {
  std::string group{};  // "compute", "bandwidth", "latency", "clock"
  // compute: "f32", "bf16", "f16", "int8"; bandwidth: "L1", "L2", "L3", "DRAM"; latency:
  // "dispatch", "wake"; clock: "cycles"
  std::string what{};
  // compute: the instructions, "fma avx2"; bandwidth: "read" or "triad"; latency: "median" or "p99"
  std::string how{};
  std::string unit{};  // "FLOP/s", "OP/s", "B/s", "s", "Hz"
  int threads = 1;     // one on each core first
  // Of the repeats: the middle one, the quartiles, and the best (largest rate, smallest time).
  double median = -1, low = -1, high = -1, best = -1;
  int repeats = 0;
  // Compute: cores × cycles/s as measured beside it × operations per cycle; -1: not known.
  double theory = -1;
  std::string basis{};  // of the theory, or why there is none
};

struct Calibration {
  static constexpr int kVersion = 1;

  Fingerprint fingerprint{};
  std::string taken{};                 // when, RFC 3339
  double seconds = 0;                  // how long it took
  std::vector<InstructionSet> sets{};  // not written: read from the processor again
  std::vector<Figure> figures{};

  // Of the instructions with the highest median, where there are several; null: not measured.
  const Figure* find(std::string_view group, std::string_view what, std::string_view how,
                     int threads) const;
  // The measured number of threads that is nearest to `threads`, not above it where that is
  // possible.
  int nearest_threads(int threads) const;
};

struct CalibrateOptions {
  Fingerprint fingerprint{};
  std::vector<InstructionSet> sets{};
  int repeats = 9;
  base::Duration slice = std::chrono::milliseconds(6);  // of one repeat of one rate
  int latency_samples = 200;                            // in one repeat
  std::size_t most_memory = std::size_t{512} << 20;     // bytes of buffers, all threads together
  // Done so far, from 0 to 1, and what is being measured; false stops. Called by the caller's
  // thread.
  std::function<bool(double done, std::string_view what)> progress{};
};

// Takes seconds, with every allowed processor busy. Starts threads of its own and joins them.
// Rates are by `thread_time`, which each thread asks for its own time (ThreadTime); latencies are
// by `clock`. Cancelled: progress said so.
absl::StatusOr<Calibration> calibrate(const base::Clock& clock, const base::Clock& thread_time,
                                      const CalibrateOptions& options);

// The simple figures for `threads` threads, from the nearest number that was measured: medians.
Roofline roofline_of(const Calibration& calibration, int threads);
// What needs no measuring: sizes of caches, cores, instruction sets.
void add_machine(const Fingerprint& fingerprint, const std::vector<InstructionSet>& sets,
                 Roofline& roofline);

std::string to_json(const Calibration& calibration);
// For people: a table for each group.
std::string to_text(const Calibration& calibration);
absl::StatusOr<Calibration> calibration_from_json(std::string_view json);

// $XDG_CACHE_HOME/tachostat/calibration.json, or below ~/.cache; empty when neither is known.
std::string calibration_path();
// Written whole or not at all; makes the directory.
absl::Status save_calibration(const Calibration& calibration, const std::string& path);
// NotFound: there is none. FailedPrecondition: it is another machine's, and says what differs.
// InvalidArgument: damaged.
absl::StatusOr<Calibration> load_calibration(const std::string& path, const Fingerprint& now);

}  // namespace tachostat::profile
