#include <fmt/format.h>

#include <charconv>
#include <fstream>
#include <sstream>

#include "base/status.h"
#include "cli/cli.h"

namespace tachostat::cli {

int report(const absl::Status& status) {
  fmt::print(stderr, "tachostat: {}\n", status.message());
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kAlreadyExists:
      return kBadUsage;
    default:
      return kFailed;
  }
}

absl::StatusOr<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return base::not_found("cannot read '{}'", path);
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

absl::StatusOr<profile::Profile> read_profile(const std::string& path) {
  TS_ASSIGN_OR_RETURN(const std::string text, read_file(path));
  absl::StatusOr<profile::Profile> profile = profile::from_json(text);
  if (!profile.ok()) return base::with_context(profile.status(), path);
  return profile;
}

void VariantFlags::add_to(CLI::App& command) {
  command.add_option("--engine", engine, "the engine that runs the model")->capture_default_str();
  command.add_option("--device", device, "the engine's device")->capture_default_str();
  command.add_option("--precision", precision, "default (the engine's), f32, bf16 or f16")
      ->capture_default_str();
  command.add_option("--threads", threads, "threads over all streams; 0: the engine's choice")
      ->check(CLI::Range(0, 1024));
  command.add_option("--streams", streams, "inferences side by side; 0: the engine's choice")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  command.add_option("--batch", batch, "requests joined into one inference at most")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  command.add_flag("--pinning", pinning, "let the engine pin its threads to cores");
}

absl::StatusOr<model::Variant> VariantFlags::variant() const {
  model::Variant variant;
  variant.engine = engine;
  variant.device = device;
  TS_ASSIGN_OR_RETURN(variant.precision, model::precision_of(precision));
  variant.threads = threads;
  variant.streams = streams;
  variant.batch = batch;
  variant.pinning = pinning;
  return variant;
}

namespace {

absl::StatusOr<std::pair<std::string, model::Shape>> parse_shape(const std::string& text) {
  const auto wrong = [&] {
    return base::invalid_argument("shape '{}': expected NAME[D1,D2,…], e.g. x[1,3,48,320]", text);
  };
  const std::size_t open = text.rfind('[');
  if (open == std::string::npos || open == 0 || text.back() != ']') return wrong();
  model::Shape shape;
  const char* at = text.data() + open + 1;
  const char* const end = text.data() + text.size() - 1;
  while (at < end) {
    std::int64_t dimension = 0;
    const auto [rest, error] = std::from_chars(at, end, dimension);
    if (error != std::errc() || dimension < 1 || (rest != end && *rest != ',')) return wrong();
    shape.push_back(dimension);
    at = rest == end ? end : rest + 1;
  }
  return std::pair(text.substr(0, open), shape);
}

}  // namespace

absl::StatusOr<model::InputShapes> parse_shapes(const std::vector<std::string>& texts) {
  model::InputShapes shapes;
  for (const std::string& text : texts) {
    TS_ASSIGN_OR_RETURN(const auto shape, parse_shape(text));
    shapes[shape.first] = shape.second;
  }
  return shapes;
}

}  // namespace tachostat::cli
