#include "profile/compare_notes.h"

#include <set>

#include "base/status.h"

namespace tachostat::profile {
namespace {

struct Property {
  const char* name;
  // Another model, or the same one edited, is what a comparison is for.
  bool expected;
  std::string (*of)(const Profile&);
};

constexpr Property kProperties[] = {
    {"model", true, [](const Profile& p) { return p.model; }},
    {"model's content", true, [](const Profile& p) { return p.model_hash.substr(0, 12); }},
    {"machine", false, [](const Profile& p) { return p.machine.substr(0, 12); }},
    {"variant", false, [](const Profile& p) { return p.variant; }},
    {"shapes of requests", false, [](const Profile& p) { return p.bucket; }},
    {"threads", false,
     [](const Profile& p) { return fmt::format("{} × {}", p.threads, p.streams); }},
};

std::set<std::string> values_of(const Property& property, std::span<const RunView> runs) {
  std::set<std::string> values;
  for (const RunView& run : runs) values.insert(property.of(*run.profile));
  return values;
}

std::string listed(const std::set<std::string>& values) {
  std::string text;
  for (const std::string& value : values) {
    text += (text.empty() ? "" : ", ") + (value.empty() ? "unknown" : "'" + value + "'");
  }
  return text;
}

void describe_runs(Comparison& to) {
  if (to.base.runs == 1 && to.head.runs == 1) {
    to.differences.push_back(
        "one run on each side: how much two runs of the same program differ is not seen, so false "
        "regressions are likely on a busy machine; give 5 runs of each side");
  } else if (to.base.runs == 1 || to.head.runs == 1) {
    to.differences.push_back(
        "one run on one side: its runs are taken to differ as the other side's do");
  }
}

}  // namespace

absl::Status check_runs(std::string_view side, std::span<const RunView> runs) {
  if (runs.empty()) return base::invalid_argument("{} has no profile", side);
  std::set<std::pair<std::uint64_t, std::uint64_t>> seen;
  for (const RunView& run : runs) {
    const base::Histogram& time = run.profile->request_time;
    if (time.count() < Comparison::kLeastRequests || time.sum() == 0) {
      return base::invalid_argument(
          "{}: holds {} request(s), expected at least {}: profile it again with more --requests",
          run.source, time.count(), Comparison::kLeastRequests);
    }
    if (!seen.emplace(time.count(), time.sum()).second) {
      return base::invalid_argument(
          "{}: {} holds this measurement already: runs must be measured anew, not copied",
          run.source, side);
    }
  }
  return absl::OkStatus();
}

ComparedSide side_of(std::span<const RunView> runs) {
  const Profile& first = *runs.front().profile;
  ComparedSide side{.model = first.model,
                    .variant = first.variant,
                    .bucket = first.bucket,
                    .machine = first.machine,
                    .threads = first.threads,
                    .streams = first.streams,
                    .runs = runs.size()};
  for (const RunView& run : runs) side.requests += run.profile->request_time.count();
  return side;
}

void describe_sides(std::span<const RunView> base, std::span<const RunView> head, Comparison& to) {
  for (const Property& property : kProperties) {
    const std::set<std::string> before = values_of(property, base);
    const std::set<std::string> after = values_of(property, head);
    if (before == after && before.size() == 1) continue;
    std::string text =
        fmt::format("{}: BASE has {}, HEAD has {}", property.name, listed(before), listed(after));
    (property.expected ? to.notes : to.differences).push_back(std::move(text));
  }
  describe_runs(to);
  std::uint64_t dropped = 0;
  for (const auto& side : {base, head}) {
    for (const RunView& run : side) dropped += run.profile->dropped_spans;
  }
  if (dropped > 0) {
    to.notes.push_back(fmt::format("{} spans were lost: some layers' times are too low", dropped));
  }
}

}  // namespace tachostat::profile
