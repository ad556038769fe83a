// What the pages of a report are made of. Every function gives markup that is safe to put anywhere
// between tags: text of others (names of layers, paths) went through escape().
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/optimize/optimize_run.h"

namespace tachostat::app {

// For text and for quoted attributes: markup, quotes, control characters and bytes that are no
// UTF-8 lose their meaning.
std::string escape(std::string_view text);

// "116.6 ms", "0.0412 ms": three digits that count.
std::string milliseconds(double ms);
// "82.1 MB"; "–" for none.
std::string megabytes(std::uint64_t bytes);
// Of a share: "0.83 %".
std::string percent(double share);
// An interval of shares: "20.0 to 45.0 %"; "no bound yet" where an end is missing.
std::string shares(double low, double high, int digits);
// A ratio of times as the speed it gives: "1.50×"; "∞" without a bound.
std::string times_faster(double ratio);
// Of Outcome::Verdict: "chosen".
std::string_view name_of(Outcome::Verdict verdict);
// Verified or chosen.
bool stands(const Outcome& outcome);
// By what was asked for.
const Ratio& asked_ratio(const OptimizeResult& result, const Outcome& outcome);

// Latency against throughput of all that was raced, each a numbered point with its intervals.
std::string frontier_plot(const OptimizeResult& result);
// A cell's bar: the interval of a ratio around 1, on one scale for all outcomes.
std::string ratio_bar(const OptimizeResult& result, const Outcome& outcome);
// A cell's bar: mean and bound of a drop beside what is allowed.
std::string drop_bar(const verify::Drop& drop, double allowed);
// Each try of the placement search against what it was compared with.
std::string search_plot(const optimize::PlacementResult& placement);
// Two bars, before and after, of parts that share a scale; as many values as there are names.
std::string stacked_bars(const std::vector<std::string_view>& names,
                         const std::vector<double>& before, const std::vector<double>& after);

// Sections; empty when there is nothing to tell.
std::string layers_section(const OptimizeResult& result);
std::string search_section(const OptimizeResult& result);
std::string needed_section(const OptimizeResult& result);
std::string promises_section(const OptimizeResult& result);

// What the page's elements look like, on a screen, in the dark and on paper.
std::string_view report_style();

}  // namespace tachostat::app
