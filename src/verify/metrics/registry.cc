#include <algorithm>
#include <array>

#include "base/status.h"
#include "verify/metrics/kinds.h"

namespace tachostat::verify {
namespace {

enum class Argument { kNone, kOptional, kRequired };

struct Kind {
  std::string_view name;
  Argument argument;
  std::string_view shown;  // in messages
  MadeMetric (*make)(const MetricRequest&);
};

constexpr std::array<Kind, 8> kKinds = {{
    {"top1", Argument::kNone, "top1", make_top1},
    {"top5", Argument::kNone, "top5", make_top5},
    {"text", Argument::kOptional, "text[:ALPHABET_FILE]", make_text},
    {"map", Argument::kOptional, "map[:0.3]", make_map},
    {"cosine", Argument::kNone, "cosine", make_cosine},
    {"kl", Argument::kNone, "kl", make_kl},
    {"agreement", Argument::kNone, "agreement", make_agreement},
    {"program", Argument::kRequired, "program:COMMAND", make_program},
}};

absl::Status unknown(std::string_view text) {
  std::string all;
  for (const Kind& kind : kKinds) {
    all += fmt::format("{}{}", all.empty() ? "" : ", ", kind.shown);
  }
  return base::invalid_argument("metric '{}': expected one of {}", text, all);
}

}  // namespace

absl::StatusOr<std::unique_ptr<const Metric>> make_metric(std::string_view text,
                                                          const Dataset& data,
                                                          const model::Graph& graph,
                                                          const MetricOptions& options) {
  const std::size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  const auto kind = std::find_if(kKinds.begin(), kKinds.end(),
                                 [&](const Kind& candidate) { return candidate.name == name; });
  if (kind == kKinds.end()) return unknown(text);
  const std::string_view argument =
      colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1);
  const bool given = colon != std::string_view::npos;
  if ((given && (argument.empty() || kind->argument == Argument::kNone)) ||
      (!given && kind->argument == Argument::kRequired)) {
    return unknown(text);
  }
  return kind->make({std::string(argument), data, graph, options});
}

}  // namespace tachostat::verify
