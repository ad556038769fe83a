// Layers that wait for data, and bytes that are moved for nothing.
#include <algorithm>
#include <array>
#include <map>

#include "base/status.h"
#include "base/units.h"
#include "diagnose/case.h"
#include "diagnose/integers.h"

namespace tachostat::diagnose {
namespace {

using base::format_count;

constexpr double kNearBandwidth = 0.5;  // of the measured one; streams of a layer reach 60 to 90 %
// Above this much of the memory's bandwidth, data must have come from a cache.
constexpr double kFromCache = 1.2;

bool from_cache(const Case& c, double bytes) {
  return bytes > kFromCache * c.roofline().memory_bandwidth;
}

// Of the level that the data must have come from; -1 when that was not measured.
double bandwidth_for(const Case& c, double bytes) {
  return from_cache(c, bytes) ? c.roofline().cache_bandwidth : c.roofline().memory_bandwidth;
}

double activations(const LayerFacts& layer) {
  const model::Work& work = layer.profile->work;
  return work.input_bytes >= 0 && work.output_bytes >= 0 ? work.input_bytes + work.output_bytes
                                                         : -1;
}

// Requests joined in one execution, as the layer's own input says.
std::int64_t batch_of(const LayerFacts& layer) {
  for (const profile::Tensor& input : layer.profile->inputs) {
    if (input.producer == profile::Tensor::kConstant || input.shape.size() < 2) continue;
    return std::max<std::int64_t>(1, input.shape[0]);
  }
  return 1;
}

// Bytes that came from memory, as the counter of misses says, ÷ the layer's own; -1: not counted.
double refetch(const LayerFacts& layer) {
  constexpr double kLine = 64;
  const auto misses = layer.profile->metrics.find("cache_misses");
  const double bytes = layer.profile->work.bytes();
  return misses == layer.profile->metrics.end() || bytes <= 0 ? -1 : misses->second * kLine / bytes;
}

// Its data would fit a cache if it ran in smaller pieces, or come from memory more than once.
bool thrashes(const Case& c, const LayerFacts& layer) {
  constexpr double kTwice = 1.5;
  const double cache = c.roofline().last_level_bytes;
  const double bytes = activations(layer);
  if (cache <= 0 || bytes <= cache || layer.bytes <= 0 || from_cache(c, layer.bytes)) return false;
  if (refetch(layer) >= kTwice) return true;
  const std::int64_t batch = batch_of(layer);
  return batch >= 2 && bytes / static_cast<double>(batch) <= cache &&
         layer.bytes >= kNearBandwidth * c.roofline().memory_bandwidth;
}

bool is_memory_bound(const Case& c, const LayerFacts& layer) {
  // Where a low precision's peak is not known, f32's is the least that it is.
  const double own = c.ridge(layer.profile->precision);
  const double ridge = own > 0 ? own : c.ridge("f32");
  if (ridge <= 0 || layer.bytes <= 0 || layer.intensity < 0 || layer.intensity >= ridge) {
    return false;
  }
  const double bandwidth = bandwidth_for(c, layer.bytes);
  return bandwidth > 0 && layer.bytes >= kNearBandwidth * bandwidth && !thrashes(c, layer);
}

std::vector<Finding> find_memory_bound(const Case& c) {
  // Half the bits are half the bytes; conversions have been seen to eat up to two thirds of that.
  constexpr double kBestCut = 0.5;
  constexpr double kLeastCut = 0.15;
  // A batch of 4 reads weights once instead of four times; one of 2 once instead of twice, and half
  // of that may be lost in waiting for company.
  constexpr double kBestWeightCut = 0.75;
  constexpr double kLeastWeightCut = 0.25;
  const std::vector<int> bound =
      c.pick([&](const LayerFacts& layer) { return is_memory_bound(c, layer); });
  if (bound.empty() || c.share_of(bound) < kMinShare) return {};
  const double weights =
      c.mean(bound, [](const LayerFacts& layer) { return std::max(0.0, layer.weights); });
  // Without 16-bit arithmetic only integers have fewer bits, and only layers that multiply use
  // them.
  const auto can_shrink = [&](const LayerFacts& layer) {
    return bits_of(layer.profile->precision) == 32 &&
           (c.has_half_arithmetic() || can_be_integer(layer));
  };
  const double wide =
      c.mean(bound, [&](const LayerFacts& layer) { return can_shrink(layer) ? 1.0 : 0.0; });
  // Integers change the whole model: one finding tells what they give.
  const bool told = !c.has_half_arithmetic() && !near_roof(c).empty();
  const bool fewer_bits = wide * c.share_of(bound) >= kMinShare && !told;
  const bool integers = fewer_bits && !c.has_half_arithmetic();
  const bool batch = weights >= 0.5;
  if (!fewer_bits && !batch) return {};
  std::map<int, Cut> found;
  if (integers) {
    for (const Cut& cut : cuts_by_integers(c)) found.emplace(cut.layer, cut);
  }
  for (const int index : bound) {
    const LayerFacts& layer = c.layer(index);
    Cut& cut = found.try_emplace(index, Cut{index, 0, 0}).first->second;
    if (fewer_bits && can_shrink(layer)) {
      if (!integers) cut.low = kLeastCut;
      cut.high = std::max(cut.high, kBestCut);
    }
    const double part = std::max(0.0, layer.weights);
    if (batch) cut.low = std::max(cut.low, kLeastWeightCut * part);
    if (batch) cut.high = std::max(cut.high, kBestWeightCut * part);
  }
  std::vector<Cut> cuts;
  for (const auto& [index, cut] : found) cuts.push_back(cut);
  Finding finding =
      c.about("memory-bound", cuts, fewer_bits ? Objective::kLatency : Objective::kThroughput);
  const double bytes = c.mean(bound, [](const LayerFacts& layer) { return layer.bytes; });
  const double intensity = c.mean(bound, [](const LayerFacts& layer) { return layer.intensity; });
  const double bandwidth = bandwidth_for(c, bytes);
  const bool cached = bandwidth > 0 && from_cache(c, bytes);
  finding.summary = fmt::format(
      "{} of request time waits for data: {:.2f} FLOP per byte at {}B/s, {} of this machine's {} "
      "bandwidth; {} of the bytes are weights{}",
      percent(c.share_of(bound)), intensity, format_count(bytes),
      percent(bytes / (bandwidth > 0 ? bandwidth : c.roofline().memory_bandwidth)),
      cached ? "cache" : "memory", percent(weights), finding.gain_low < 0 ? kMayLose : "");
  const std::uint64_t n = c.executions_of(bound);
  finding.evidence = {{"achieved bandwidth", bytes, "B/s", n},
                      {"memory bandwidth", c.roofline().memory_bandwidth, "B/s", 1},
                      {"arithmetic intensity", intensity, "FLOP/byte", n},
                      {"weights among bytes", weights, "share", n}};
  if (c.roofline().cache_bandwidth > 0) {
    finding.evidence.emplace_back("cache bandwidth", c.roofline().cache_bandwidth, "B/s", 1);
  }
  if (fewer_bits) {
    finding.remedies.emplace_back(c.has_half_arithmetic() ? Remedy::kLowerPrecision
                                                          : Remedy::kQuantise);
  }
  if (batch) finding.remedies.emplace_back(Remedy::kBatch);
  finding.confidence = 0.8;
  return {std::move(finding)};
}

std::vector<Finding> find_cache_thrashing(const Case& c) {
  const std::vector<int> over = c.pick([&](const LayerFacts& layer) { return thrashes(c, layer); });
  if (over.empty() || c.share_of(over) < kMinShare) return {};
  // At best the data come from the cache instead, at worst half of them still do not.
  const double cache = c.roofline().cache_bandwidth;
  const double best = cache > 0 ? 1 - c.roofline().memory_bandwidth / cache : 0.5;
  Finding finding = c.about("cache-thrashing", cuts(over, 0.25 * best, std::max(0.0, best)),
                            Objective::kThroughput);
  const double set = c.mean(over, activations);
  finding.summary = fmt::format(
      "layers that take {} of request time work on {}B at once and the last-level cache holds "
      "{}B: what one layer writes is gone from the cache when the next one reads it; in smaller "
      "batches it would stay",
      percent(finding.share), format_count(set), format_count(c.roofline().last_level_bytes));
  finding.evidence = {{"data of one execution", set, "B", c.executions_of(over)},
                      {"last-level cache", c.roofline().last_level_bytes, "B", 1},
                      c.time_of("time", over)};
  finding.remedies = {{Remedy::kBatch, {{"direction", "smaller"}}}, Remedy::kFuse};
  finding.confidence = 0.6;
  return {std::move(finding)};
}

// Before the first layer that multiplies, or what the model gives back: whoever calls wants its
// numbers in that layout.
std::vector<bool> at_the_border(const Case& c) {
  std::vector<bool> border(c.layers().size(), false);
  if (!c.knows_edges()) return border;
  std::vector<bool> before_products(c.layers().size(), false);
  for (const LayerFacts& layer : c.layers()) {
    const auto index = static_cast<std::size_t>(layer.index);
    const std::vector<int>& producers = c.producers(layer.index);
    before_products[index] =
        !is_heavy(layer.kind) && std::all_of(producers.begin(), producers.end(), [&](int producer) {
          return before_products[static_cast<std::size_t>(producer)];
        });
    border[index] = before_products[index] || c.readers(layer.index).empty();
  }
  return border;
}

std::vector<Finding> find_reorders(const Case& c) {
  constexpr double kLeastAtBorder = 0.1;  // of request time: then the caller is worth asking
  std::vector<bool> explained(c.layers().size(), false);
  for (const Cascade& cascade : c.cascades()) {
    for (const int index : cascade.conversions) explained[static_cast<std::size_t>(index)] = true;
  }
  std::vector<int> reorders = c.pick([&](const LayerFacts& layer) {
    return is_conversion(layer.kind) && !explained[static_cast<std::size_t>(layer.index)];
  });
  const auto outside = std::stable_partition(
      reorders.begin(), reorders.end(),
      [border = at_the_border(c)](int index) { return !border[static_cast<std::size_t>(index)]; });
  if (c.share_of({outside, reorders.end()}) < kLeastAtBorder) {
    reorders.erase(outside, reorders.end());
  }
  std::sort(reorders.begin(), reorders.end());
  if (reorders.empty() || c.share_of(reorders) < kMinOverhead) return {};
  Finding finding = c.about("reorders", cuts(reorders, 0.3, 1));
  finding.summary = fmt::format(
      "{} of request time changes the layout or number format of data in {} layers and computes "
      "nothing",
      percent(finding.share), reorders.size());
  finding.evidence = {c.time_of("time of the conversions", reorders)};
  finding.remedies = {Remedy::kKeepLayout, Remedy::kReplaceOperator};
  finding.confidence = 0.75;
  return {std::move(finding)};
}

bool is_fusable(const LayerFacts& layer) {
  if (layer.kind != Kind::kElementwise || !layer.counts) return false;
  // A step to integers is another rule's.
  return std::none_of(layer.profile->outputs.begin(), layer.profile->outputs.end(),
                      [](const profile::Tensor& output) { return is_integer(output.type); });
}

// Of a layer in a chain: the part of its bytes that need not be moved when the chain is one layer.
double saved_in_chain(const LayerFacts& layer, bool first, bool last, std::size_t length) {
  const model::Work& work = layer.profile->work;
  const double bytes = work.bytes();
  if (bytes <= 0) return 1 - 1.0 / static_cast<double>(length);
  const double in = first ? 0 : std::min(work.input_bytes, std::max(1.0, work.output_bytes));
  const double out = last ? 0 : work.output_bytes;
  return std::clamp((in + out) / bytes, 0.0, 1.0);
}

// Element-wise layers each of which is the only one to read the one before. Where edges are not
// known, those that run one after the other.
std::vector<std::vector<int>> chains_of(const Case& c) {
  std::vector<std::vector<int>> chains;
  std::vector<int> chain_of(c.layers().size(), -1);
  for (const LayerFacts& layer : c.layers()) {
    if (!is_fusable(layer)) continue;
    int before = -1;
    if (c.knows_edges()) {
      for (const int producer : c.producers(layer.index)) {
        const bool only = c.readers(producer).size() == 1 && producer < layer.index;
        if (only && is_fusable(c.layer(producer))) before = producer;
      }
    } else if (layer.index > 0 && is_fusable(c.layer(layer.index - 1))) {
      before = layer.index - 1;
    }
    int chain = before < 0 ? -1 : chain_of[static_cast<std::size_t>(before)];
    if (chain >= 0 && chains[static_cast<std::size_t>(chain)].back() != before) chain = -1;
    if (chain < 0) {
      chain = static_cast<int>(chains.size());
      chains.emplace_back();
    }
    chains[static_cast<std::size_t>(chain)].push_back(layer.index);
    chain_of[static_cast<std::size_t>(layer.index)] = chain;
  }
  return chains;
}

std::vector<Finding> find_unfused(const Case& c) {
  std::vector<Cut> cuts;
  std::size_t longest = 0;
  for (const std::vector<int>& chain : chains_of(c)) {
    // Alone after a multiplication that nobody else reads, it could have been that kernel's end.
    bool after_heavy = false;
    if (c.knows_edges()) {
      for (const int producer : c.producers(chain[0])) {
        after_heavy |= is_heavy(c.layer(producer).kind) && c.readers(producer).size() == 1;
      }
    }
    const std::size_t length = chain.size() + (after_heavy ? 1 : 0);
    if (length < (c.knows_edges() ? 2 : 3)) continue;
    longest = std::max(longest, length);
    for (std::size_t i = 0; i < chain.size(); ++i) {
      const double saved =
          saved_in_chain(c.layer(chain[i]), i == 0 && !after_heavy, i + 1 == chain.size(), length);
      cuts.push_back({chain[i], 0.3 * saved, std::min(0.95, saved)});
    }
  }
  const std::vector<int> layers = layers_of(cuts);
  if (c.share_of(layers) < kMinOverhead) return {};
  Finding finding = c.about("unfused-chain", cuts);
  finding.summary = fmt::format(
      "{} element-wise layers ({} of request time) each read what the one before has just "
      "written, {} in a row at most: as one layer the data would be moved once",
      layers.size(), percent(finding.share), longest);
  finding.evidence = {c.time_of("time of the layers", layers),
                      {"longest chain", static_cast<double>(longest), "layers", 1}};
  finding.remedies = {Remedy::kFuse, Remedy::kReplaceOperator};
  finding.confidence = c.knows_edges() ? 0.8 : 0.5;
  return {std::move(finding)};
}

std::vector<Finding> find_output_copies(const Case& c) {
  const std::vector<int> copies = c.pick([](const LayerFacts& layer) {
    return layer.kind == Kind::kCopy && layer.profile->work.flops <= 0;
  });
  if (copies.empty() || c.share_of(copies) < kMinOverhead) return {};
  Finding finding = c.about("output-copies", cuts(copies, 0.3, 0.95));
  finding.summary = fmt::format(
      "{} of request time copies data that is there already: {} layers move whole tensors from "
      "one buffer to another",
      percent(finding.share), copies.size());
  finding.evidence = {c.time_of("time in copies", copies)};
  finding.remedies = {Remedy::kShareBuffers, Remedy::kReplaceOperator};
  finding.confidence = 0.7;
  return {std::move(finding)};
}

std::vector<Finding> find_footprint(const Case& c) {
  const double held = c.reading_or("memory/held", -1);
  const double budget = c.reading_or("memory/budget", -1);
  if (held <= 0 || budget <= 0 || held <= budget) return {};
  const double over = 1 - budget / held;
  Finding finding = Case::about("over-memory-budget", 1, over, over, Objective::kMemory);
  finding.summary =
      fmt::format("the model holds {}B, {} more than the budget of {}B", format_count(held),
                  percent(held / budget - 1), format_count(budget));
  finding.evidence = {c.told("memory held", "memory/held", "B"),
                      c.told("memory budget", "memory/budget", "B")};
  finding.remedies = {Remedy::kLowerPrecision,
                      Remedy::kQuantise,
                      {Remedy::kThreadsAndStreams, {{"streams", "fewer"}}}};
  finding.confidence = 0.95;
  return {std::move(finding)};
}

std::vector<Finding> find_paging(const Case& c) {
  constexpr double kLeastPerRequest = 0.05;
  // From a fast disk, and from a slow one or under contention.
  constexpr double kShortNs = 50'000;
  constexpr double kLongNs = 1'000'000;
  const double faults = c.reading_or("process/major_faults_per_request", 0);
  if (!c.enough_requests() || c.request_ns() <= 0 || faults < kLeastPerRequest) return {};
  const double share = std::min(1.0, faults * kLongNs / c.request_ns());
  Finding finding = Case::about("paging", share, kShortNs / kLongNs, 1, Objective::kLatency);
  finding.summary = fmt::format(
      "{:.2f} times in each request a page has to be read from disk: memory is short, or weights "
      "were never all in it",
      faults);
  finding.evidence = {c.told("pages from disk", "process/major_faults_per_request", "per request")};
  finding.remedies = {Remedy::kMemory, Remedy::kWarmUp};
  finding.confidence = 0.8;
  return {std::move(finding)};
}

std::vector<Finding> find_request_allocations(const Case& c) {
  // Of one fault with its cleared page: measured from 0.25 µs (warm) to 1 µs (virtual machines).
  constexpr double kShortNs = 250;
  constexpr double kLongNs = 1'000;
  const double faults = c.reading_or("process/minor_faults_per_request", 0);
  if (!c.enough_requests() || c.request_ns() <= 0) return {};
  const double share = std::min(1.0, faults * kLongNs / c.request_ns());
  if (share < kMinOverhead) return {};
  Finding finding =
      Case::about("request-allocations", share, kShortNs / kLongNs, 1, Objective::kLatency);
  finding.summary = fmt::format(
      "each request touches {:.0f} new pages of memory: buffers are allocated and given back to "
      "the system on the request path",
      faults);
  finding.evidence = {c.told("new pages", "process/minor_faults_per_request", "per request")};
  finding.remedies = {Remedy::kShareBuffers, Remedy::kMemory};
  finding.confidence = 0.7;
  return {std::move(finding)};
}

constexpr std::array<Rule, 8> kRules = {{
    {"memory-bound",
     "bytes/s against the bandwidth of memory, or of the cache when it is more than 1.2 × memory's",
     "left of the ridge, 50 % of the bandwidth or more, together 10 % of request time",
     "lower-precision (32-bit layers of 10 % of request time; quantise, of those that multiply, "
     "where the machine has no 16-bit arithmetic), batch (half of the bytes or more are weights)",
     "15 % to 50 % of the 32-bit layers' time (integers: as for compute-bound, which tells it "
     "alone "
     "where both could), or 25 % to 75 % of the weights' part",
     "Williams, Waterman, Patterson: Roofline, CACM 52(4), 2009", find_memory_bound},
    {"cache-thrashing",
     "activations of one execution against the last-level cache; cache misses where they are "
     "counted",
     "more than the cache, near the memory's bandwidth, and either a batch whose single requests "
     "would fit, or lines fetched 1.5 times and more; "
     "together 10 % of request time",
     "batch (smaller), fuse", "1 - memory's ÷ cache's bandwidth; at least a quarter of that",
     "Drepper: What every programmer should know about memory, 2007", find_cache_thrashing},
    {"reorders", "layers that change layout or number format, but for those of a cascade",
     "3 % of request time; at the model's inputs and outputs, where the caller wants it so, 10 %",
     "keep-layout, replace-operator", "30 % to 100 % of their time", "engines' layouts",
     find_reorders},
    {"unfused-chain",
     "element-wise layers that alone read the one before, or alone read a multiplication (in order "
     "of execution, three or more, where edges are not known)",
     "two in a row, 3 % of request time together", "fuse, replace-operator",
     "the bytes between them; at least 30 % of that", "bytes moved, roofline", find_unfused},
    {"output-copies", "layers that only copy: slices, splits, pads, clones", "3 % of request time",
     "share-buffers, replace-operator", "30 % to 95 % of their time", "operators' definitions",
     find_output_copies},
    {"over-memory-budget", "`memory/held` against `memory/budget`", "above it",
     "lower-precision, quantise, fewer streams", "what is above the budget", "the user's limit",
     find_footprint},
    {"paging", "`process/major_faults_per_request`", "0.05 or more", "memory, warm-up",
     "50 µs (fast disk) to 1 ms each", "getrusage(2)", find_paging},
    {"request-allocations", "`process/minor_faults_per_request`",
     "at 1 µs each, 3 % of request time or more", "share-buffers, memory", "0.25 µs to 1 µs each",
     "getrusage(2); cost measured on virtual and real machines", find_request_allocations},
}};

}  // namespace

std::span<const Rule> memory_rules() { return kRules; }

}  // namespace tachostat::diagnose
