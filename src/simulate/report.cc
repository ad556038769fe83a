#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/status.h"
#include "base/units.h"
#include "simulate/simulate.h"

namespace tachostat::simulate {
namespace {

using nlohmann::json;

constexpr std::size_t kShownDecisions = 12;

json json_of(const Recovery& recovery) {
  return {{"event", recovery.event},
          {"change", recovery.ended ? "ended" : "began"},
          {"at_s", recovery.at_s},
          {"seconds", recovery.seconds ? json(*recovery.seconds) : json(nullptr)},
          {"switches", recovery.switches}};
}

json json_of(const ModelReport::Act& act) {
  return {{"at_s", act.at_s},          {"node", act.node},      {"kind", act.decision.kind},
          {"from", act.decision.from}, {"to", act.decision.to}, {"reason", act.decision.reason}};
}

json milliseconds(const base::Histogram& latency) {
  const auto at = [&](double share) { return static_cast<double>(latency.quantile(share)) / 1e6; };
  return {{"mean", latency.mean() / 1e6},
          {"p50", at(0.5)},
          {"p95", at(0.95)},
          {"p99", at(0.99)},
          {"p999", at(0.999)},
          {"max", static_cast<double>(latency.max()) / 1e6}};
}

json json_of(const ModelReport& model, double seconds) {
  json result = {{"name", model.name},
                 {"policy", model.policy},
                 {"arrivals", model.arrivals},
                 {"answered", model.answered},
                 {"in_time", model.in_time},
                 {"refused", model.refused},
                 {"failed", model.failed},
                 {"lost", model.lost},
                 {"attainment", model.attainment()},
                 {"goodput_per_second", static_cast<double>(model.in_time) / seconds},
                 {"bound_in_time", model.bound_in_time},
                 {"of_bound", model.of_bound()},
                 {"latency_ms", milliseconds(model.latency)},
                 {"switches", model.switches},
                 {"promoted", model.promoted},
                 {"answered_by", json::object()},
                 {"recoveries", json::array()},
                 {"decisions", json::array()}};
  for (const auto& [variant, count] : model.answered_by) result["answered_by"][variant] = count;
  for (const Recovery& recovery : model.recoveries) {
    result["recoveries"].push_back(json_of(recovery));
  }
  for (const ModelReport::Act& act : model.decisions) result["decisions"].push_back(json_of(act));
  return result;
}

std::string text_of(const ModelReport& model, double seconds) {
  const auto ms = [&](double share) {
    return static_cast<double>(model.latency.quantile(share)) / 1e6;
  };
  std::string text = fmt::format(
      "{}, policy {}\n"
      "  {} requests: {} in time ({:.2f} %, {:.1f} a second), {} late, {} refused, {} failed, "
      "{} lost\n"
      "  {:.1f} % of what no schedule can exceed ({:.0f})\n"
      "  latency p50 {:.3g} ms, p95 {:.3g} ms, p99 {:.3g} ms; {} switches, {} candidates proved\n",
      model.name, model.policy, model.arrivals, model.in_time, model.attainment() * 100,
      static_cast<double>(model.in_time) / seconds, model.answered - model.in_time, model.refused,
      model.failed, model.lost, model.of_bound() * 100, model.bound_in_time, ms(0.5), ms(0.95),
      ms(0.99), model.switches, model.promoted);
  for (const auto& [variant, count] : model.answered_by) {
    text += fmt::format("  {:5.1f} % answered by {}\n",
                        100.0 * static_cast<double>(count) /
                            static_cast<double>(std::max<std::uint64_t>(1, model.answered)),
                        variant);
  }
  for (const Recovery& recovery : model.recoveries) {
    text += fmt::format("  {:8.1f} s  {} {}: {}, {} switches\n", recovery.at_s, recovery.event,
                        recovery.ended ? "ended" : "began",
                        recovery.seconds
                            ? fmt::format("in time again after {:.1f} s", *recovery.seconds)
                            : std::string("not in time again"),
                        recovery.switches);
  }
  std::size_t shown = 0;
  for (const ModelReport::Act& act : model.decisions) {
    if (shown++ == kShownDecisions) {
      text += fmt::format("  and {} more decisions (--json has them)\n",
                          model.decisions.size() - kShownDecisions);
      break;
    }
    text += fmt::format("  {:8.1f} s  {}: {}\n", act.at_s, act.decision.kind, act.decision.reason);
  }
  return text;
}

double share_in_time(std::uint64_t in_time, std::uint64_t arrivals) {
  return arrivals == 0 ? 1 : static_cast<double>(in_time) / static_cast<double>(arrivals);
}

double share_of_bound(std::uint64_t in_time, double bound) {
  return bound <= 0 ? 1 : static_cast<double>(in_time) / bound;
}

}  // namespace

double ModelReport::attainment() const { return share_in_time(in_time, arrivals); }
double ModelReport::of_bound() const { return share_of_bound(in_time, bound_in_time); }
double ManyModel::attainment() const { return share_in_time(in_time, arrivals); }
double ManyModel::of_bound() const { return share_of_bound(in_time, bound_in_time); }

std::string to_json(const Report& report) {
  json models = json::array();
  for (const ModelReport& model : report.models) models.push_back(json_of(model, report.seconds));
  const json document = {{"version", 1},          {"scenario", report.scenario},
                         {"seed", report.seed},   {"seconds", report.seconds},
                         {"nodes", report.nodes}, {"models", std::move(models)}};
  return document.dump(2, ' ', false, json::error_handler_t::replace);
}

std::string to_text(const Report& report) {
  std::string text =
      fmt::format("{}: {:g} s of virtual time, {} node{}, seed {}\n", report.scenario,
                  report.seconds, report.nodes, report.nodes == 1 ? "" : "s", report.seed);
  for (const ModelReport& model : report.models) text += "\n" + text_of(model, report.seconds);
  return text;
}

}  // namespace tachostat::simulate
