#include "app/optimize/optimize_run.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include "app/optimize/acceptance.h"
#include "app/optimize/budget.h"
#include "app/optimize/final_race.h"
#include "app/optimize/journal.h"
#include "app/optimize/kernels.h"
#include "app/optimize/placing.h"
#include "app/optimize/pruning.h"
#include "app/optimize/race.h"
#include "app/optimize/rewriting.h"
#include "app/optimize/scoring.h"
#include "app/workbench.h"
#include "base/status.h"
#include "optimize/optimize.h"
#include "optimize/quantise/local_cost.h"
#include "verify/data/dataset.h"
#include "verify/data/split.h"
#include "verify/metrics/metric.h"

namespace tachostat::app {
namespace {

// Calibration learns little from more.
constexpr std::size_t kMostCalibrated = 48;
constexpr int kRounds = 24;
constexpr int kLeastRounds = 8;  // however short the budget is
constexpr std::size_t kUsual = 1;
// Raise it when the same inputs would give other results: kept ones are then not used.
constexpr int kMethods = 12;

// What came of quantising one network.
struct Quantised {
  Placing placing = {};
  std::vector<profile::Profile> profiles = {};  // of the network, then of what was placed
  model::Graph graph = {};
};

std::vector<std::size_t> first(const std::vector<std::size_t>& all, std::size_t most) {
  return {all.begin(), all.begin() + static_cast<std::ptrdiff_t>(std::min(all.size(), most))};
}

class Run {
 public:
  Run(base::Clock& clock, engine::Engine& engine, probe::SpanSource& spans,
      const OptimizeOptions& options)
      : clock_(clock),
        engine_(engine),
        spans_(spans),
        options_(options),
        budget_(clock, options.budget) {}

  absl::StatusOr<OptimizeResult> run() {
    TS_RETURN_IF_ERROR(open());
    TS_RETURN_IF_ERROR(add_baselines());
    TS_RETURN_IF_ERROR(add_proposed());
    TS_RETURN_IF_ERROR(add_rewritten());
    TS_RETURN_IF_ERROR(add_other_kernels());
    TS_RETURN_IF_ERROR(add_pruned());
    TS_RETURN_IF_ERROR(add_quantised());
    TS_RETURN_IF_ERROR(select());
    TS_RETURN_IF_ERROR(race_all(saturates(options_.objective), Budget::kFirstRace));
    TS_RETURN_IF_ERROR(race_all(!saturates(options_.objective), Budget::kSecondRace));
    refuse_too_large(result_);
    TS_RETURN_IF_ERROR(report());
    choose_fastest(result_);
    result_.promises = weigh(findings_, ran_, kUsual);
    describe_placement();
    result_.reused = journal_->reused();
    return std::move(result_);
  }

 private:
  bool go_on(std::string_view stage, double done) {
    return !options_.progress || options_.progress(stage, done);
  }

  absl::Status open() {
    go_on("reading the model and the data", 0);
    TS_ASSIGN_OR_RETURN(declared_, model::read(options_.model_path));
    TS_ASSIGN_OR_RETURN(data_, verify::Dataset::open(options_.data_path, declared_));
    TS_ASSIGN_OR_RETURN(splits_, verify::split(*data_, options_.seed));
    const verify::DefaultMetric usual = verify::default_metric(*data_, declared_);
    const std::string metric = options_.metric.empty() ? usual.text : options_.metric;
    result_.metric_reason = options_.metric.empty() ? usual.reason : "as asked for";
    TS_ASSIGN_OR_RETURN(metric_, verify::make_metric(metric, *data_, declared_));
    const verify::Usual sample = verify::usual_of(*data_, splits_.search);
    one_shape_ = sample.only;
    shapes_ = data_->shapes(sample.sample);
    TS_ASSIGN_OR_RETURN(inputs_, data_->sample(sample.sample));
    TS_ASSIGN_OR_RETURN(graph_, model::read(options_.model_path, shapes_));
    std::error_code error;
    std::filesystem::create_directories(options_.folder, error);
    TS_ASSIGN_OR_RETURN(store_, store::open_sqlite(options_.folder));
    const std::string version = engine_.capabilities().version;
    journal_ = std::make_unique<Journal>(
        clock_, *store_,
        fmt::format("{} {} {} {} {} {} {} {}", kMethods, declared_.hash, data_->hash(),
                    metric_->name(), version, options_.machine, options_.seed, options_.base.id()));
    track_ = std::make_unique<Track>(
        Track{clock_, engine_, declared_, inputs_, *journal_, options_.joules, options_.progress});
    workbench_ = std::make_unique<Workbench>(clock_, engine_, spans_, declared_, inputs_,
                                             Workbench::Options{.machine = options_.machine});
    bench_ = std::make_unique<JournalBench>(*journal_, *workbench_);
    scoring_ = std::make_unique<Scoring>(
        *journal_, Court{engine_, declared_, *data_, *metric_, reference()}, options_.progress);
    describe();
    return absl::OkStatus();
  }

  void describe() {
    result_.machine_name = options_.machine_name;
    result_.max_drop = options_.max_drop;
    result_.objective = options_.objective;
    result_.memory_limit = options_.memory_limit;
    result_.seed = options_.seed;
    result_.model = declared_.name;
    result_.model_hash = declared_.hash;
    result_.data = data_->path();
    result_.data_hash = data_->hash();
    result_.engine_version = engine_.capabilities().version;
    result_.metric = metric_->name();
    result_.samples = data_->size();
    result_.search_samples = splits_.search.size();
    result_.selection_samples = splits_.selection.size();
    result_.report_samples = splits_.report.size();
  }

  void add(std::string name, std::string reason, model::Variant variant, Outcome::Verdict verdict) {
    for (const Outcome& outcome : result_.outcomes) {
      if (outcome.variant == variant) return;
    }
    result_.outcomes.push_back({.name = std::move(name),
                                .reason = std::move(reason),
                                .variant = std::move(variant),
                                .verdict = verdict});
  }

  model::Variant reference() const {
    return {.engine = options_.base.engine,
            .device = options_.base.device,
            .precision = model::Precision::kF32};
  }

  absl::Status add_baselines() {
    constexpr auto kBaseline = Outcome::Verdict::kBaseline;
    const int processors = engine_.capabilities().hardware_threads;
    add("f32", "the reference", reference(), kBaseline);
    model::Variant usual = options_.base;
    usual.precision = model::Precision::kDefault;
    usual.threads = 0;
    usual.streams = 1;
    add("engine's default for latency", "what the engine does by itself", usual, kBaseline);
    model::Variant throughput = usual;
    throughput.streams = 0;
    throughput.threads = processors;
    add("engine's default for throughput", "what the engine does when told so", throughput,
        kBaseline);
    base_ = usual;
    base_.threads = processors;
    const bool open = std::any_of(declared_.inputs.begin(), declared_.inputs.end(),
                                  [](const auto& in) { return !model::is_static(in.shape); });
    if (open && one_shape_) base_.shapes = shapes_;
    add_executions("", {});
    return absl::OkStatus();
  }

  // One recipe, run for latency and for throughput.
  void add_executions(const std::string& name, const model::Recipe& recipe) {
    model::Variant variant = base_;
    variant.recipe = recipe;
    const auto named = [&name](const char* how) {
      return name.empty() ? how : fmt::format("{}, {}", name, how);
    };
    const std::string shaped = base_.shapes.empty() ? "" : ", fixed shape";
    add(named(("one stream" + shaped).c_str()), "all threads on one request", variant,
        Outcome::Verdict::kVerified);
    const int processors = variant.threads;
    if (processors < 2) return;
    variant.pinning = true;
    add(named(("one stream, pinned" + shaped).c_str()), "each thread stays on its core", variant,
        Outcome::Verdict::kVerified);
    variant.pinning = false;
    variant.streams = processors;
    add(named(("a stream per core" + shaped).c_str()), "a thread for each request", variant,
        Outcome::Verdict::kVerified);
    variant.streams = variant.threads = 1;
    add(named(("one thread" + shaped).c_str()), "no waiting between threads", variant,
        Outcome::Verdict::kVerified);
  }

  // What the diagnosis of the default asks for, as far as running it otherwise goes.
  absl::Status add_proposed() {
    TS_ASSIGN_OR_RETURN(profile::Roofline roofline, kept_roofline());
    const std::array usual = {result_.outcomes[kUsual].variant};
    TS_ASSIGN_OR_RETURN(const auto profiles, bench_->profile(usual));
    findings_ = diagnose::diagnose(profiles[0],
                                   diagnose::applicable(roofline, options_.machine, profiles[0]));
    optimize::Context context{
        .incumbent = base_, .capabilities = engine_.capabilities(), .graph = declared_};
    context.mean_in_flight = context.capabilities.hardware_threads;  // races saturate it
    for (const optimize::Proposal& one : optimize::propose(findings_, context).proposals) {
      // Whether joining requests pays depends on how they arrive: for the live server to find out.
      if (one.variant.batch > 1) continue;
      add(fmt::format("{} for {}", one.proposer, one.finding), one.reason, one.variant,
          Outcome::Verdict::kVerified);
    }
    return absl::OkStatus();
  }

  // The same when the run goes on later, so that the same is found.
  absl::StatusOr<profile::Roofline> kept_roofline() {
    if (!options_.roofline) return profile::Roofline();
    const auto measure = [this]() -> absl::StatusOr<std::string> {
      return profile::to_json(options_.roofline());
    };
    TS_ASSIGN_OR_RETURN(const std::string text, journal_->once("roofline", measure));
    return profile::roofline_from_json(text);
  }

  // What pays is part of all that is tried from here on.
  absl::Status add_rewritten() {
    TS_ASSIGN_OR_RETURN(Rewriting chosen, choose_rewrites(*track_, base_, options_.seed));
    result_.rewriting_notes = std::move(chosen.notes);
    if (chosen.recipe.empty()) return absl::OkStatus();
    base_.recipe = std::move(chosen.recipe);
    TS_ASSIGN_OR_RETURN(graph_, engine_.rewritten(declared_, shapes_, base_.recipe));
    add_executions("rewritten", base_.recipe);
    return absl::OkStatus();
  }

  // With its kernels chosen, where that pays.
  absl::StatusOr<model::Recipe> with_kernels(const model::Recipe& recipe, const std::string& name) {
    model::Variant variant = base_;
    variant.recipe = recipe;
    TS_ASSIGN_OR_RETURN(KernelChoice choice,
                        choose_kernels(*track_, *bench_, variant, name, options_.seed));
    result_.kernel_notes.insert(result_.kernel_notes.end(), choice.notes.begin(),
                                choice.notes.end());
    return std::move(choice.recipe);
  }

  // Of the network before it is quantised, whose layers have other kernels then.
  absl::Status add_other_kernels() {
    TS_ASSIGN_OR_RETURN(const model::Recipe recipe, with_kernels(base_.recipe, "not quantised"));
    if (recipe != base_.recipe) add_executions("other kernels", recipe);
    return absl::OkStatus();
  }

  optimize::Samples calibrating() const {
    const std::vector<std::size_t> chosen = first(splits_.search, kMostCalibrated);
    return {chosen.size(), [this, chosen](std::size_t i) { return data_->sample(chosen[i]); }};
  }

  // f32, for what looks at tensors of the network that the base runs.
  model::Variant reference_of(const model::Variant& base) const {
    model::Variant plain = reference();
    plain.shapes = base.shapes;
    plain.recipe = base.recipe;
    return plain;
  }

  auto drops_while(std::string_view stage) {
    return [this, stage](const std::vector<model::Variant>& variants, std::size_t count) {
      return scoring_->drops_of(variants, first(splits_.search, count), stage);
    };
  }

  // Half of what may be lost is for quantising.
  absl::Status add_pruned() {
    if (!budget_.left(Budget::kPruning)) return absl::OkStatus();
    const PruningOptions ways{.base = base_,
                              .reference = reference_of(base_),
                              .wanted_drop = wanted_drop() / 2,
                              .seed = options_.seed,
                              .drops = drops_while("leaving channels out")};
    TS_ASSIGN_OR_RETURN(Pruning pruning,
                        choose_pruning(*track_, *bench_, graph_, calibrating(), ways));
    result_.pruning_notes = std::move(pruning.notes);
    if (!pruning.pays) return absl::OkStatus();
    TS_ASSIGN_OR_RETURN(const model::Recipe recipe, with_kernels(pruning.recipe, "fewer channels"));
    add_executions("fewer channels", recipe);
    pruned_ = std::move(pruning.recipe);
    return absl::OkStatus();
  }

  absl::Status add_quantised() {
    TS_RETURN_IF_ERROR(quantise(base_, graph_, ""));
    if (pruned_.empty() || !budget_.left(Budget::kPlacing)) return absl::OkStatus();
    model::Variant base = base_;
    base.recipe = pruned_;
    TS_ASSIGN_OR_RETURN(model::Graph graph, engine_.rewritten(declared_, shapes_, pruned_));
    return quantise(base, std::move(graph), "fewer channels, ");
  }

  absl::Status quantise(const model::Variant& base, model::Graph graph, std::string_view name) {
    PlacingOptions ways{.base = base,
                        .reference = reference_of(base),
                        .wanted_drop = wanted_drop(),
                        .seed = options_.seed,
                        .drops = drops_while("keeping it accurate")};
    ways.search_on = [this] { return budget_.left(Budget::kPlacing); };
    ways.repair_on = [this] { return budget_.left(Budget::kKeepingAccurate); };
    ways.progress = options_.progress;
    TS_ASSIGN_OR_RETURN(Placing placing, place_quantisers(engine_, declared_, graph, calibrating(),
                                                          *bench_, *journal_, ways));
    std::vector<model::Variant> profiled(1, base);
    for (Placed& one : placing.placed) {
      one.name = fmt::format("{}{}", name, one.name);
      TS_ASSIGN_OR_RETURN(one.recipe, with_kernels(one.recipe, one.name));
      profiled.push_back(base);
      profiled.back().recipe = one.recipe;
      add_executions(one.name, one.recipe);
    }
    TS_ASSIGN_OR_RETURN(auto profiles, bench_->profile(profiled));
    quantised_.push_back({std::move(placing), std::move(profiles), std::move(graph)});
    return absl::OkStatus();
  }

  // What the report's samples can prove to be allowed: however little a drop varies, its bound lies
  // about 3.3 ÷ samples above it (paired_drop). And half of what is allowed, since the search's
  // samples flatter; but not nothing.
  double wanted_drop() const {
    const double width = 3.3 / static_cast<double>(std::max<std::size_t>(1, splits_.report.size()));
    const double provable = options_.max_drop - width;
    return std::clamp(provable, 0.05 * options_.max_drop, 0.5 * options_.max_drop);
  }

  absl::Status select() {
    TS_RETURN_IF_ERROR(scoring_
                           ->judge_all(result_.outcomes, splits_.selection, "selecting by accuracy",
                                       &Outcome::selection, options_.max_drop)
                           .status());
    refuse_inaccurate(result_);
    return absl::OkStatus();
  }

  absl::Status race_all(bool saturate, double share) {
    LineUpOptions line{
        .saturate = saturate, .rounds = kRounds, .stay = kBaselines, .seed = options_.seed};
    line.progress = [&](int done) { return done < kLeastRounds || budget_.left(share); };
    return final_race(*track_, line, result_, ran_);
  }

  absl::Status report() {
    TS_ASSIGN_OR_RETURN(result_.reference_score,
                        scoring_->judge_all(result_.outcomes, splits_.report, "reporting accuracy",
                                            &Outcome::report, options_.max_drop));
    refuse_unproved(result_);
    return absl::OkStatus();
  }

  // The network whose placement was chosen, and which; else the fastest of the first.
  std::pair<Quantised*, std::size_t> shown() {
    for (Quantised& one : quantised_) {
      for (std::size_t i = 0; result_.chosen >= 0 && i < one.placing.placed.size(); ++i) {
        const Outcome& chosen = result_.outcomes[static_cast<std::size_t>(result_.chosen)];
        if (one.placing.placed[i].recipe == chosen.variant.recipe) return {&one, i};
      }
    }
    return {&quantised_.front(), 0};
  }

  // Layer by layer, before and after.
  void describe_placement() {
    const auto [quantised, place] = shown();
    Placing& placing = quantised->placing;
    result_.before = std::move(quantised->profiles.front());
    result_.placement = std::move(placing.result);
    result_.accuracy_notes = std::move(placing.notes);
    optimize::Placement placement(placing.switches.size());
    if (!placing.placed.empty()) {
      placement = placing.placed[place].placement;
      result_.after = std::move(quantised->profiles[place + 1]);
    }
    for (std::size_t i = 0; i < placing.switches.size(); ++i) {
      const optimize::Switch& one = placing.switches[i];
      const model::Layer& layer = quantised->graph.layers[static_cast<std::size_t>(one.layer)];
      result_.switched.push_back(fmt::format("{} {} {} {}", placement[i] ? "int8" : "left",
                                             name_of(one.kind), layer.type, layer.name));
    }
  }

  base::Clock& clock_;
  engine::Engine& engine_;
  probe::SpanSource& spans_;
  const OptimizeOptions& options_;
  const Budget budget_;
  model::Graph declared_, graph_;
  std::unique_ptr<const verify::Dataset> data_;
  std::unique_ptr<const verify::Metric> metric_;
  verify::Splits splits_;
  model::InputShapes shapes_;
  std::vector<engine::Tensor> inputs_;  // of the sample with the most frequent shape
  bool one_shape_ = false;
  model::Variant base_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<Track> track_;
  std::unique_ptr<Workbench> workbench_;
  std::unique_ptr<JournalBench> bench_;
  std::unique_ptr<Scoring> scoring_;
  std::vector<diagnose::Finding> findings_;  // of the engine's default for latency
  std::vector<Ran> ran_;                     // by outcome
  model::Recipe pruned_;                     // empty: leaving channels out does not pay
  std::vector<Quantised> quantised_;         // the network, then with fewer channels
  OptimizeResult result_;
};

}  // namespace

absl::StatusOr<OptimizeResult> optimize_model(base::Clock& clock, engine::Engine& engine,
                                              probe::SpanSource& spans,
                                              const OptimizeOptions& options) {
  return Run(clock, engine, spans, options).run();
}

}  // namespace tachostat::app
