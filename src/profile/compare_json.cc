#include <cmath>
#include <nlohmann/json.hpp>

#include "profile/compare.h"

namespace tachostat::profile {
namespace {

using Json = nlohmann::ordered_json;

Json finite_or_null(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json json_of(const Ratio& ratio) {
  return {{"ratio", finite_or_null(ratio.value)},
          {"low", finite_or_null(ratio.low)},
          {"high", finite_or_null(ratio.high)},
          {"p_slower", ratio.p_slower},
          {"p_faster", ratio.p_faster}};
}

const char* name_of(Change change) {
  switch (change) {
    case Change::kSlower:
      return "slower";
    case Change::kFaster:
      return "faster";
    case Change::kSame:
      break;
  }
  return "same";
}

Json json_of(const Compared& row) {
  Json to = {{"name", row.name},
             {"type", row.type},
             {"base_ns", row.base_ns},
             {"head_ns", row.head_ns},
             {"share", row.share},
             {"absolute", json_of(row.absolute)},
             {"relative", json_of(row.relative)},
             {"change", name_of(row.change)},
             {"with_total", row.with_total}};
  if (row.since) {
    to["since"] = {{"run", row.since->run + 1},
                   {"slice", row.since->slice + 1},
                   {"slices", row.since->slices},
                   {"ratio", row.since->ratio},
                   {"p", row.since->p}};
  }
  return to;
}

Json json_of(const std::vector<OneSided>& layers) {
  Json all = Json::array();
  for (const OneSided& layer : layers) {
    all.push_back(
        {{"name", layer.name}, {"type", layer.type}, {"ns", layer.ns}, {"share", layer.share}});
  }
  return all;
}

Json json_of(const ComparedSide& side) {
  return {{"model", side.model},     {"variant", side.variant},  {"bucket", side.bucket},
          {"machine", side.machine}, {"threads", side.threads},  {"streams", side.streams},
          {"runs", side.runs},       {"requests", side.requests}};
}

}  // namespace

std::string to_json(const Comparison& comparison) {
  Json layers = Json::array();
  for (const Compared& layer : comparison.layers) layers.push_back(json_of(layer));
  const Json document = {
      {"version", Comparison::kVersion},
      {"regressed", comparison.regressed()},
      {"alpha", comparison.options.alpha},
      {"fail_over", comparison.options.fail_over},
      {"least_share", comparison.options.least_share},
      {"base", json_of(comparison.base)},
      {"head", json_of(comparison.head)},
      {"total", json_of(comparison.total)},
      {"layers", std::move(layers)},
      {"added", json_of(comparison.added)},
      {"removed", json_of(comparison.removed)},
      {"untested", comparison.untested},
      {"common", comparison.normalised ? Json(comparison.common) : Json(nullptr)},
      {"matched",
       {{"by_name", comparison.by_name},
        {"by_originals", comparison.by_originals},
        {"by_place", comparison.by_place}}},
      {"differences", comparison.differences},
      {"notes", comparison.notes}};
  return document.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace tachostat::profile
