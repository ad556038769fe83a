// Drawings as inline SVG.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "app/optimize/report_parts.h"

namespace tachostat::app {
namespace {

// From numbers to pixels. What is outside is put at the edge.
struct Scale {
  double low = 0, high = 1, from = 0, to = 100;
  bool logarithmic = false;

  double operator()(double value) const {
    const auto place = [this](double number) {
      return logarithmic ? std::log(std::max(1e-9, number)) : number;
    };
    if (std::isnan(value)) return from;
    const double share = (place(value) - place(low)) / std::max(1e-12, place(high) - place(low));
    return from + std::clamp(share, 0.0, 1.0) * (to - from);
  }
};

// Round numbers, about `count` of them.
std::vector<double> ticks(double low, double high, int count) {
  const double rough = std::max(1e-9, (high - low) / count);
  const double power = std::pow(10, std::floor(std::log10(rough)));
  double step = power * 10;
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (power * factor < rough) continue;
    step = power * factor;
    break;
  }
  const double first = std::ceil(low / step) * step;
  std::vector<double> found;
  for (int i = 0; i <= 3 * count && first + i * step <= high + step * 1e-6; ++i) {
    found.push_back(first + i * step);
  }
  return found;
}

std::string line(double x1, double y1, double x2, double y2, std::string_view classes) {
  return fmt::format(R"(<line x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}" class="{}"/>)", x1,
                     y1, x2, y2, classes);
}

std::string words(double x, double y, std::string_view anchor, std::string_view classes,
                  std::string_view text) {
  return fmt::format(R"(<text x="{:.1f}" y="{:.1f}" text-anchor="{}" class="{}">{}</text>)", x, y,
                     anchor, classes, escape(text));
}

// Values with their interval, in the units of an axis.
struct Span {
  double value = 0, low = 0, high = 0;
};
double scaled(double value, double by, double otherwise) {
  return std::isfinite(value) && value > 0 && by > 0 ? by * value : otherwise;
}
// The ratio's uncertainty is the time's: both sides of it were measured in the same rounds.
Span latency_of(const Outcome& outcome) {
  const Ratio& ratio = outcome.latency;
  const double ms = outcome.service_ms;
  return {ms, scaled(ratio.low / ratio.value, ms, 0),
          scaled(ratio.high / ratio.value, ms, ms * 10)};
}
Span throughput_of(const Outcome& outcome) {
  const Ratio& ratio = outcome.throughput_time;
  const double rate = 1e3 / outcome.saturated_ms;
  return {rate, scaled(ratio.value / ratio.high, rate, 0),
          scaled(ratio.value / ratio.low, rate, rate * 10)};
}

struct Point {
  std::size_t number = 0;  // index of the outcome, from 1
  const Outcome* outcome = nullptr;
  Span x, y;
};

std::vector<Point> raced(const OptimizeResult& result) {
  std::vector<Point> points;
  for (std::size_t i = 0; i < result.outcomes.size(); ++i) {
    const Outcome& outcome = result.outcomes[i];
    if (!(outcome.service_ms > 0) || !(outcome.saturated_ms > 0)) continue;
    points.push_back({i + 1, &outcome, latency_of(outcome), throughput_of(outcome)});
  }
  return points;
}

// Intervals of one disturbed outcome must not flatten the picture of all.
double upper_end(const std::vector<Point>& points, Span Point::*axis) {
  double high = 0, most = 0;
  for (const Point& point : points) {
    high = std::max(high, (point.*axis).high);
    most = std::max(most, (point.*axis).value);
  }
  return std::min(high, most * 1.6) * 1.04;
}
double lower_end(const std::vector<Point>& points, Span Point::*axis) {
  double low = 1e300, least = 1e300;
  for (const Point& point : points) {
    low = std::min(low, (point.*axis).low);
    least = std::min(least, (point.*axis).value);
  }
  return std::max(low, least * 0.6) * 0.96;
}

constexpr double kLeft = 58, kRight = 640, kTop = 16, kBottom = 330;

std::string axes(const Scale& x, const Scale& y) {
  std::string svg;
  for (const double tick : ticks(x.low, x.high, 6)) {
    svg += line(x(tick), kTop, x(tick), kBottom, "grid");
    svg += words(x(tick), kBottom + 16, "middle", "tick", fmt::format("{:g}", tick));
  }
  for (const double tick : ticks(y.low, y.high, 5)) {
    svg += line(kLeft, y(tick), kRight, y(tick), "grid");
    svg += words(kLeft - 8, y(tick) + 4, "end", "tick", fmt::format("{:g}", tick));
  }
  svg += line(kLeft, kBottom, kRight, kBottom, "axis") + line(kLeft, kTop, kLeft, kBottom, "axis");
  svg += words(kRight, kBottom + 34, "end", "tick", "latency of one request, ms  (better: left)");
  svg += words(kLeft + 6, kTop + 10, "start", "tick", "requests/s  (better: up)");
  return svg;
}

// Through the accurate ones that no other beats on both axes.
std::string frontier_path(std::vector<Point> points, const Scale& x, const Scale& y) {
  std::erase_if(points, [](const Point& p) { return !stands(*p.outcome); });
  std::sort(points.begin(), points.end(),
            [](const Point& a, const Point& b) { return a.x.value < b.x.value; });
  std::string path;
  double best = -1;
  for (const Point& point : points) {
    if (point.y.value <= best) continue;
    best = point.y.value;
    path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : " L", x(point.x.value), y(best));
  }
  return path.find('L') == std::string::npos ? ""
                                             : fmt::format(R"(<path d="{}" class="path"/>)", path);
}

std::string mark(const Point& point, const Scale& x, const Scale& y) {
  const std::string_view verdict = name_of(point.outcome->verdict);
  const double cx = x(point.x.value), cy = y(point.y.value);
  std::string svg =
      fmt::format("<g><title>{}. {}: {}, {:.1f} requests/s</title>", point.number,
                  escape(point.outcome->name), milliseconds(point.x.value), point.y.value);
  svg += line(x(point.x.low), cy, x(point.x.high), cy, verdict);
  svg += line(cx, y(point.y.low), cx, y(point.y.high), verdict);
  svg += fmt::format(R"(<circle cx="{:.1f}" cy="{:.1f}" r="9" class="{}"/>)", cx, cy, verdict);
  svg += words(cx, cy + 4, "middle", "number", fmt::format("{}", point.number));
  return svg + "</g>";
}

std::string legend(const std::vector<Point>& points) {
  constexpr double kStep = 20;
  std::string svg;
  double y = kTop + 10;
  for (const Point& point : points) {
    const std::string_view verdict = name_of(point.outcome->verdict);
    std::string name = point.outcome->name;
    if (name.size() > 44) name = name.substr(0, 42) + "…";
    svg += fmt::format(R"(<circle cx="{:.1f}" cy="{:.1f}" r="8" class="{}"/>)", kRight + 30, y - 4,
                       verdict);
    svg += words(kRight + 30, y, "middle", "number", fmt::format("{}", point.number));
    svg += words(kRight + 44, y, "start", verdict, name);
    y += kStep;
  }
  return svg;
}

}  // namespace

std::string frontier_plot(const OptimizeResult& result) {
  const std::vector<Point> points = raced(result);
  if (points.empty()) return "";
  const Scale x{lower_end(points, &Point::x), upper_end(points, &Point::x), kLeft, kRight};
  const Scale y{lower_end(points, &Point::y), upper_end(points, &Point::y), kBottom, kTop};
  const double height = std::max(372.0, kTop + 24 + 20 * static_cast<double>(points.size()));
  std::string svg = fmt::format(
      R"(<svg viewBox="0 0 980 {:.0f}" width="980" role="img" aria-label="latency against throughput">)",
      height);
  svg += axes(x, y) + frontier_path(points, x, y);
  for (const Point& point : points) svg += mark(point, x, y);
  return svg + legend(points) + "</svg>";
}

std::string ratio_bar(const OptimizeResult& result, const Outcome& outcome) {
  double low = 0.8, high = 1.25;
  for (const Outcome& other : result.outcomes) {
    if (!(other.service_ms > 0)) continue;
    low = std::min(low, asked_ratio(result, other).value * 0.9);
    high = std::max(high, asked_ratio(result, other).value * 1.1);
  }
  const Scale x{low, high, 2, 138, true};
  const Ratio& ratio = asked_ratio(result, outcome);
  const std::string_view verdict = name_of(outcome.verdict);
  std::string svg =
      R"(<svg viewBox="0 0 140 16" width="140" height="16" role="img" aria-label="interval">)";
  svg += line(x(1), 0, x(1), 16, "one");
  const double to = std::isfinite(ratio.high) ? ratio.high : high;
  svg += fmt::format(
      R"(<rect x="{:.1f}" y="6.5" width="{:.1f}" height="3" rx="1.5" class="{}" fill-opacity=".45" stroke="none"/>)",
      x(ratio.low), std::max(1.0, x(to) - x(ratio.low)), verdict);
  svg += fmt::format(R"(<circle cx="{:.1f}" cy="8" r="4" class="{}"/>)", x(ratio.value), verdict);
  return svg + "</svg>";
}

std::string drop_bar(const verify::Drop& drop, double allowed) {
  const Scale x{0, std::max(allowed * 1.6, 1e-4), 2, 98};
  const bool good = drop.bound <= allowed;
  const std::string_view verdict = good ? "better" : "worse";
  std::string svg =
      R"(<svg viewBox="0 0 100 16" width="100" height="16" role="img" aria-label="drop">)";
  svg += fmt::format(
      R"(<rect x="2" y="6.5" width="{:.1f}" height="3" rx="1.5" class="{}" fill-opacity=".45" stroke="none"/>)",
      std::max(1.0, x(drop.bound) - 2), verdict);
  svg += fmt::format(R"(<circle cx="{:.1f}" cy="8" r="4" class="{}"/>)", x(drop.mean), verdict);
  return svg + line(x(allowed), 0, x(allowed), 16, "limit") + "</svg>";
}

std::string search_plot(const optimize::PlacementResult& placement) {
  std::vector<double> ratios;
  for (const optimize::PlacementTry& one : placement.tries) {
    ratios.push_back(one.base_ns > 0 ? one.ns / one.base_ns : 1);
  }
  if (ratios.empty()) return "";
  const double least = *std::min_element(ratios.begin(), ratios.end());
  const double most = *std::max_element(ratios.begin(), ratios.end());
  const Scale x{-0.5, static_cast<double>(ratios.size()) - 0.5, 58, 960};
  const Scale y{std::min(0.95, least * 0.96), std::min(3.0, std::max(1.05, most * 1.04)), 190, 10};
  std::string svg =
      R"(<svg viewBox="0 0 980 224" width="980" role="img" aria-label="tries of the search">)";
  for (const double tick : ticks(y.low, y.high, 5)) {
    svg += line(58, y(tick), 960, y(tick), "grid");
    svg += words(50, y(tick) + 4, "end", "tick", fmt::format("{:g}", tick));
  }
  svg += line(58, y(1), 960, y(1), "one");
  for (std::size_t i = 0; i < ratios.size(); ++i) {
    const std::string_view classes = ratios[i] < 1   ? "better"
                                     : ratios[i] > 1 ? "worse"
                                                     : "baseline";
    const double at = x(static_cast<double>(i));
    svg += fmt::format("<g><title>{}: {:.3f}</title>", escape(placement.tries[i].what), ratios[i]);
    svg += line(at, y(1), at, y(ratios[i]), classes);
    svg += fmt::format(R"(<circle cx="{:.1f}" cy="{:.1f}" r="4" class="{}"/></g>)", at,
                       y(ratios[i]), classes);
  }
  svg += words(58, 212, "start", "tick",
               "tries, in order; the usual placements come first, the result last");
  return svg + "</svg>";
}

std::string stacked_bars(const std::vector<std::string_view>& names,
                         const std::vector<double>& before, const std::vector<double>& after) {
  const double total_before = std::accumulate(before.begin(), before.end(), 0.0);
  const double total_after = std::accumulate(after.begin(), after.end(), 0.0);
  const Scale x{0, std::max({1e-9, total_before, total_after}), 60, 890};
  std::string svg =
      R"(<svg viewBox="0 0 980 92" width="980" role="img" aria-label="time by class of layer">)";
  const auto bar = [&](const std::vector<double>& parts, double total, double top,
                       std::string_view label) {
    svg += words(52, top + 21, "end", "tick", label);
    double sum = 0;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      svg += fmt::format(
          R"(<rect x="{:.1f}" y="{:.0f}" width="{:.1f}" height="32" class="c{}"><title>{}: {}</title></rect>)",
          x(sum), top, x(sum + parts[i]) - x(sum), i, escape(names[i]), milliseconds(parts[i]));
      sum += parts[i];
    }
    svg += words(x(total) + 8, top + 21, "start", "", milliseconds(total));
  };
  bar(before, total_before, 4, "before");
  bar(after, total_after, 48, "after");
  svg += R"(</svg><div class="key">)";
  for (std::size_t i = 0; i < names.size(); ++i) {
    svg += fmt::format(R"(<span><i class="c{}"></i>{} <span class="soft">{} → {}</span></span>)", i,
                       escape(names[i]), milliseconds(before[i]), milliseconds(after[i]));
  }
  return svg + "</div>";
}

}  // namespace tachostat::app
