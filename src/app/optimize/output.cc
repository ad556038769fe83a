// The folder that an optimisation leaves: what people read, and what `serve` loads.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include "app/optimize/optimize_run.h"
#include "app/optimize/report_html.h"
#include "app/optimize/report_json.h"
#include "app/optimize/report_parts.h"
#include "base/status.h"
#include "model/variant_file.h"

namespace tachostat::app {
namespace {

namespace fs = std::filesystem;

// Files are all written beside their places, and only then moved there: when the disk is full, what
// an earlier run left stays whole.
class Staged {
 public:
  ~Staged() {
    std::error_code ignored;
    for (const fs::path& path : paths_) fs::remove(part_of(path), ignored);
  }

  absl::Status write(const fs::path& path, const std::string& text) {
    paths_.insert(path);
    std::ofstream file(part_of(path), std::ios::binary | std::ios::trunc);
    file << text;
    file.close();
    if (file) return absl::OkStatus();
    return base::unavailable("cannot write '{}': is the disk full, or the folder not writable?",
                             path.string());
  }

  absl::Status move_into_place() {
    for (const fs::path& path : paths_) {
      std::error_code error;
      fs::rename(part_of(path), path, error);
      if (error) return base::unavailable("cannot write '{}': {}", path.string(), error.message());
    }
    return absl::OkStatus();
  }

  bool holds(const fs::path& path) const { return paths_.contains(path); }

 private:
  static fs::path part_of(const fs::path& path) { return path.string() + ".part"; }

  std::set<fs::path> paths_;
};

// "int8-one-stream.json", with a number where two would be called the same.
fs::path file_for(const fs::path& folder, const Outcome& outcome, const Staged& staged) {
  std::string name;
  for (const char c : outcome.name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (plain || (!name.empty() && name.back() != '-')) name += plain ? c : '-';
  }
  while (name.ends_with('-')) name.pop_back();
  if (name.empty()) name = "variant";
  fs::path path = folder / (name + ".json");
  for (int i = 2; staged.holds(path); ++i) path = folder / fmt::format("{}-{}.json", name, i);
  return path;
}

// By what both were measured; noise of 1 % is no difference.
bool no_worse(double a, double b) { return a <= 0 || b <= 0 || a <= b * 1.01; }

bool dominated(const Outcome& outcome, const std::vector<Outcome>& all) {
  return std::any_of(all.begin(), all.end(), [&outcome](const Outcome& other) {
    return stands(other) && other.service_ms <= outcome.service_ms * 0.99 &&
           other.saturated_ms <= outcome.saturated_ms * 0.99 &&
           no_worse(static_cast<double>(other.memory_bytes),
                    static_cast<double>(outcome.memory_bytes)) &&
           no_worse(other.joules, outcome.joules) && other.report.bound <= outcome.report.bound;
  });
}

model::VariantFile file_of(const OptimizeOptions& options, const OptimizeResult& result,
                           const Outcome& outcome) {
  model::VariantFile file{.model_path = fs::absolute(options.model_path).string(),
                          .model_hash = result.model_hash,
                          .data_hash = result.data_hash,
                          .engine_version = result.engine_version,
                          .machine = options.machine,
                          .variant = outcome.variant,
                          // Proved to be more accurate than the reference: it drops nothing.
                          .drop_bound = std::max(0.0, outcome.report.bound),
                          .metric = result.metric,
                          .service_ms = outcome.service_ms,
                          .capacity = outcome.saturated_ms > 0 ? 1e3 / outcome.saturated_ms : 0};
  nlohmann::json proof = json_of(outcome);
  proof.erase("variant");
  file.proof = dump(proof);
  return file;
}

// Variants of an earlier run that this one did not find again.
void remove_others(const fs::path& folder, const Staged& kept) {
  std::vector<fs::path> old;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    const bool ours = entry.path().extension() == ".json" || entry.path().extension() == ".part";
    if (ours && !kept.holds(entry.path())) old.push_back(entry.path());
  }
  for (const fs::path& path : old) fs::remove(path, error);
}

}  // namespace

absl::Status write_output(const OptimizeOptions& options, const OptimizeResult& result) {
  const fs::path folder(options.folder);
  const fs::path variants = folder / "variants";
  std::error_code error;
  fs::create_directories(variants, error);
  if (error) {
    return base::unavailable("cannot make '{}': {}", variants.string(), error.message());
  }
  Staged staged;
  for (const Outcome& outcome : result.outcomes) {
    if (!stands(outcome) || dominated(outcome, result.outcomes)) continue;
    TS_RETURN_IF_ERROR(staged.write(file_for(variants, outcome, staged),
                                    model::to_json(file_of(options, result, outcome))));
  }
  TS_RETURN_IF_ERROR(staged.write(folder / "report.json", to_json(result) + "\n"));
  TS_RETURN_IF_ERROR(staged.write(folder / "report.html", to_html(result)));
  TS_RETURN_IF_ERROR(staged.move_into_place());
  remove_others(variants, staged);
  return absl::OkStatus();
}

}  // namespace tachostat::app
