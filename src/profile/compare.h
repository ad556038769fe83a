// Is HEAD slower than BASE, in total or in a layer? docs/design/compare.md has the methods.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "profile/profile.h"

namespace tachostat::profile {

struct CompareOptions {
  double alpha = 0.01;        // chance of any false regression, over the total and all layers
  double fail_over = 0.03;    // slower by less is no regression, however sure
  double least_share = 0.01;  // of request time; a layer below it is not tested
  std::uint64_t seed = 1;     // of the change points' bootstrap
};

// One measurement of one side, and where it came from, for messages.
struct ComparedRun {
  std::string source;
  Profile profile;
};
// The same, held by somebody else.
struct RunView {
  std::string_view source;
  const Profile* profile = nullptr;  // never null
};

// HEAD ÷ BASE, with the interval at 1 - alpha for this number alone.
struct Ratio {
  double value = 1;
  double low = 0;
  double high = 0;
  // Chances of a ratio this far above (below) 1 without any difference, corrected for the number of
  // tests. 1: not tested.
  double p_slower = 1;
  double p_faster = 1;
};

enum class Change { kSame, kSlower, kFaster };

// Where inside one of HEAD's runs a layer became slower.
struct ChangeInRun {
  std::size_t run = 0;    // of HEAD's
  std::size_t slice = 0;  // the first slower one
  std::size_t slices = 0;
  double ratio = 1;  // after ÷ before
  double p = 1;      // corrected for the number of runs
};

// The total or a tested layer. Times are of one request, undisturbed (see undisturbed_ns).
struct Compared {
  std::string name{};
  std::string type{};
  double base_ns = 0;
  double head_ns = 0;
  double share = 0;  // of request time, of the side where it is larger
  Ratio absolute{};
  Ratio relative{};  // to what all layers have in common; the total's is the absolute one
  Change change = Change::kSame;
  // Slower with everything else, not more than it: told only because the total is slower.
  bool with_total = false;
  std::optional<ChangeInRun> since{};
};

struct OneSided {
  std::string name;
  std::string type;
  double ns = 0;  // of one request, on its side
  double share = 0;
};

// What a side is; of its first run, where they differ.
struct ComparedSide {
  std::string model{}, variant{}, bucket{}, machine{};
  int threads = 1, streams = 1;
  std::size_t runs = 0;
  std::uint64_t requests = 0;  // of all runs
};

struct Comparison {
  static constexpr int kVersion = 1;
  static constexpr std::uint64_t kLeastRequests = 8;  // of a run

  CompareOptions options{};
  ComparedSide base{}, head{};
  Compared total{};
  std::vector<Compared> layers{};  // tested ones, slowest relative change first
  std::vector<OneSided> added{};   // most expensive first
  std::vector<OneSided> removed{};
  std::size_t untested = 0;  // below least_share
  double common = 1;         // HEAD ÷ BASE of what all layers have in common
  bool normalised = false;   // there were layers enough to tell it
  std::size_t by_name = 0, by_originals = 0, by_place = 0;  // how HEAD's layers were matched
  // Why the two sides may not be comparable; --strict refuses them.
  std::vector<std::string> differences{};
  std::vector<std::string> notes{};

  bool regressed() const;
};

// InvalidArgument names the run: too few requests, the same measurement twice, no layers.
absl::StatusOr<Comparison> compare(std::span<const RunView> base, std::span<const RunView> head,
                                   const CompareOptions& options);
absl::StatusOr<Comparison> compare(std::span<const ComparedRun> base,
                                   std::span<const ComparedRun> head,
                                   const CompareOptions& options);

std::string to_json(const Comparison& comparison);
std::string to_text(const Comparison& comparison);      // for a terminal
std::string to_junit(const Comparison& comparison);     // a test case for the total and each layer
std::string to_markdown(const Comparison& comparison);  // for a comment on a change

}  // namespace tachostat::profile
