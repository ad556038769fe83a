#include "app/optimize/journal.h"

#include <nlohmann/json.hpp>

#include "base/hash.h"
#include "base/status.h"

namespace tachostat::app {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kKind = "optimize";

std::string written(const std::vector<profile::Profile>& profiles) {
  Json array = Json::array();
  for (const profile::Profile& profile : profiles) {
    array.push_back(Json::parse(profile::to_json(profile)));
  }
  return array.dump();
}

absl::StatusOr<std::vector<profile::Profile>> read(const std::string& text) {
  const Json array = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!array.is_array()) return base::internal("kept profiles are no array");
  std::vector<profile::Profile> profiles;
  for (const Json& json : array) {
    TS_ASSIGN_OR_RETURN(profile::Profile profile, profile::from_json(json.dump()));
    profiles.push_back(std::move(profile));
  }
  return profiles;
}

}  // namespace

absl::StatusOr<std::string> Journal::once(
    std::string_view what, const std::function<absl::StatusOr<std::string>()>& make) {
  const std::string key = base::sha256(fmt::format("{}\n{}", run_, what));
  TS_ASSIGN_OR_RETURN(const std::vector<store::Row> rows, store_.latest(kKind, key, 1));
  if (!rows.empty()) {
    ++reused_;
    return rows.back().json;
  }
  TS_ASSIGN_OR_RETURN(std::string made, make());
  const auto now =
      std::chrono::duration_cast<std::chrono::milliseconds>(clock_.unix_time()).count();
  TS_RETURN_IF_ERROR(
      base::with_context(store_.append(kKind, key, now, made), "a result could not be kept"));
  return made;
}

absl::StatusOr<std::vector<profile::Profile>> JournalBench::profile(
    std::span<const model::Variant> variants) {
  std::string what = "profile";
  for (const model::Variant& variant : variants) {
    what += fmt::format("\n{} {}", variant.id(), variant.recipe.hash());
  }
  TS_ASSIGN_OR_RETURN(const std::string text,
                      journal_.once(what, [&]() -> absl::StatusOr<std::string> {
                        TS_ASSIGN_OR_RETURN(const auto profiles, bench_.profile(variants));
                        return written(profiles);
                      }));
  return read(text);
}

}  // namespace tachostat::app
