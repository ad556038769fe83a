#include "app/frontier_folder.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/log.h"
#include "base/status.h"

namespace tachostat::app {
namespace {

namespace fs = std::filesystem;

absl::StatusOr<model::VariantFile> read_one(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return base::not_found("cannot read '{}'", path.string());
  std::ostringstream text;
  text << file.rdbuf();
  const auto read = model::variant_file_from_json(text.str());
  return read.ok() ? read : base::with_context(read.status(), path.string());
}

std::vector<model::VariantFile> read_all(const std::string& folder) {
  std::vector<fs::path> paths;
  std::error_code error;
  for (const fs::directory_entry& entry :
       fs::directory_iterator(fs::path(folder) / "variants", error)) {
    if (entry.path().extension() == ".json") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<model::VariantFile> files;
  for (const fs::path& path : paths) {
    auto file = read_one(path);
    if (file.ok()) {
      files.push_back(*std::move(file));
    } else {
      spdlog::warn("left out: {}", file.status().message());
    }
  }
  return files;
}

std::string difference(const model::VariantFile& file, const std::string& machine,
                       const std::string& engine_version) {
  if (file.machine != machine) return "proved on another machine";
  if (file.engine_version != engine_version) {
    return fmt::format("proved with engine version {}, this is {}", file.engine_version,
                       engine_version);
  }
  return "";
}

}  // namespace

bool is_frontier_folder(const std::string& path) {
  std::error_code error;
  return fs::is_directory(fs::path(path) / "variants", error);
}

absl::StatusOr<FrontierFolder> read_frontier(const std::string& folder,
                                             const std::string& model_path,
                                             const std::string& machine,
                                             const std::string& engine_version) {
  const std::vector<model::VariantFile> files = read_all(folder);
  if (files.empty()) {
    return base::not_found(
        "'{}' holds no variant that can be read: make it with `tachostat optimize MODEL --data "
        "DATA -o {}`",
        folder, folder);
  }
  FrontierFolder frontier;
  frontier.model_path = model_path.empty() ? files[0].model_path : model_path;
  TS_ASSIGN_OR_RETURN(const model::Graph graph, model::read(frontier.model_path));
  for (const model::VariantFile& file : files) {
    if (file.model_hash != graph.hash) {
      return base::invalid_argument(
          "'{}' was made for another model than '{}': its hash is {}, the file's is {}; name the "
          "right file with --model, or optimise this one",
          folder, frontier.model_path, file.model_hash.substr(0, 12), graph.hash.substr(0, 12));
    }
    const std::string why = difference(file, machine, engine_version);
    if (why.empty()) {
      frontier.verified.push_back({.variant = file.variant,
                                   .service_ms = file.service_ms,
                                   .capacity = file.capacity,
                                   .drop_bound = file.drop_bound});
    } else {
      spdlog::warn("{} is tried anew: {}", file.variant.id(), why);
      frontier.unproved.push_back(
          {.variant = file.variant, .proposer = "folder", .finding = "", .reason = why});
    }
  }
  std::sort(frontier.verified.begin(), frontier.verified.end(),
            [](const auto& a, const auto& b) { return a.service_ms < b.service_ms; });
  return frontier;
}

}  // namespace tachostat::app
