// A calibration as JSON, and in the file that keeps it. docs/design/profile-format.md.
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/status.h"
#include "profile/calibration.h"
#include "profile/members.h"

namespace tachostat::profile {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr std::size_t kMostFigures = 10'000;
constexpr std::uintmax_t kMostBytes = 16 << 20;

Json json_of(const Figure& figure) {
  return {{"group", figure.group},
          {"what", figure.what},
          {"how", figure.how},
          {"unit", figure.unit},
          {"threads", figure.threads},
          {"median", number_or_null(figure.median)},
          {"low", number_or_null(figure.low)},
          {"high", number_or_null(figure.high)},
          {"best", number_or_null(figure.best)},
          {"repeats", figure.repeats},
          {"theory", number_or_null(figure.theory)},
          {"basis", figure.basis}};
}

absl::Status read_figure(const Members& members, Figure& figure) {
  TS_RETURN_IF_ERROR(members.read("group", figure.group));
  TS_RETURN_IF_ERROR(members.read("what", figure.what));
  TS_RETURN_IF_ERROR(members.read("how", figure.how));
  TS_RETURN_IF_ERROR(members.read("unit", figure.unit));
  TS_RETURN_IF_ERROR(members.read("threads", 1, 1 << 16, figure.threads));
  TS_RETURN_IF_ERROR(members.read_or_null("median", figure.median));
  TS_RETURN_IF_ERROR(members.read_or_null("low", figure.low));
  TS_RETURN_IF_ERROR(members.read_or_null("high", figure.high));
  TS_RETURN_IF_ERROR(members.read_or_null("best", figure.best));
  TS_RETURN_IF_ERROR(members.read("repeats", 0, 1 << 20, figure.repeats));
  TS_RETURN_IF_ERROR(members.read_or_null("theory", figure.theory));
  return members.read("basis", figure.basis);
}

absl::Status read_calibration(const nlohmann::json& document, Calibration& calibration) {
  const Members members(document, "");
  TS_RETURN_IF_ERROR(members.object("fingerprint").status());
  TS_ASSIGN_OR_RETURN(calibration.fingerprint,
                      fingerprint_from_json(document["fingerprint"].dump()));
  TS_RETURN_IF_ERROR(members.read("taken", calibration.taken));
  TS_RETURN_IF_ERROR(members.read("seconds", calibration.seconds));
  TS_ASSIGN_OR_RETURN(const nlohmann::json* figures, members.array("figures", kMostFigures));
  for (std::size_t i = 0; i < figures->size(); ++i) {
    const std::string path = fmt::format("figures[{}]", i);
    if (!(*figures)[i].is_object()) {
      return base::invalid_argument("member '{}': expected an object", path);
    }
    TS_RETURN_IF_ERROR(
        read_figure(Members((*figures)[i], path), calibration.figures.emplace_back()));
  }
  return absl::OkStatus();
}

}  // namespace

std::string to_json(const Calibration& calibration) {
  Json figures = Json::array();
  for (const Figure& figure : calibration.figures) figures.push_back(json_of(figure));
  const Json document = {{"version", Calibration::kVersion},
                         {"fingerprint", Json::parse(to_json(calibration.fingerprint))},
                         {"taken", calibration.taken},
                         {"seconds", calibration.seconds},
                         {"figures", std::move(figures)}};
  return document.dump();
}

absl::StatusOr<Calibration> calibration_from_json(std::string_view text) {
  TS_ASSIGN_OR_RETURN(const nlohmann::json document,
                      parse_document(text, "calibration", Calibration::kVersion));
  Calibration calibration;
  const absl::Status status = read_calibration(document, calibration);
  if (!status.ok()) return base::with_context(status, "calibration");
  return calibration;
}

absl::Status save_calibration(const Calibration& calibration, const std::string& path) {
  std::error_code error;
  fs::create_directories(fs::path(path).parent_path(), error);
  // Another name for each process: two that calibrate at once must not write into one file.
  const std::string part = fmt::format("{}.{}.part", path, getpid());
  {
    std::ofstream file(part, std::ios::binary | std::ios::trunc);
    file << to_json(calibration) << '\n';
    file.close();
    if (!file) {
      fs::remove(part, error);
      return base::unavailable("cannot write the calibration to '{}'", part);
    }
  }
  fs::rename(part, path, error);
  if (!error) return absl::OkStatus();
  const std::string reason = error.message();
  fs::remove(part, error);
  return base::unavailable("cannot write the calibration to '{}': {}", path, reason);
}

absl::StatusOr<Calibration> load_calibration(const std::string& path, const Fingerprint& now) {
  std::error_code error;
  if (path.empty() || !fs::is_regular_file(path, error)) {
    return base::not_found("no calibration at '{}': tachostat machine --calibrate makes one", path);
  }
  const std::uintmax_t size = fs::file_size(path, error);
  if (error || size > kMostBytes) {
    return base::invalid_argument("'{}' is no calibration: it is larger than {} MiB", path,
                                  kMostBytes >> 20);
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) return base::not_found("the calibration '{}' cannot be read", path);
  std::ostringstream text;
  text << file.rdbuf();
  absl::StatusOr<Calibration> calibration = calibration_from_json(text.str());
  if (!calibration.ok()) return base::with_context(calibration.status(), path);
  if (const std::string differs = difference(now, calibration->fingerprint); !differs.empty()) {
    return base::failed_precondition(
        "the calibration in '{}' is of another machine or setting: {}; tachostat machine "
        "--calibrate takes a new one",
        path, differs);
  }
  return calibration;
}

}  // namespace tachostat::profile
