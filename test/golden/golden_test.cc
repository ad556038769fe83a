// Trace in, profile and findings out, compared with committed text. After a wanted change run it
// with TACHOSTAT_UPDATE_GOLDEN=1 and read the difference before it is committed.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "diagnose/diagnose.h"
#include "profile/profile.h"
#include "trace/formats/chrome.h"

namespace tachostat {
namespace {

using nlohmann::json;

std::string path_of(const std::string& test, const std::string& file) {
  return std::string(TACHOSTAT_SOURCE_DIR) + "/test/golden/" + test + "/" + file;
}

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

bool updating() {
  const char* flag = std::getenv("TACHOSTAT_UPDATE_GOLDEN");
  return flag != nullptr && std::string_view(flag) == "1";
}

void expect_golden(const std::string& actual, const std::string& path) {
  if (updating()) {
    std::ofstream(path) << actual;
    return;
  }
  EXPECT_EQ(actual, read_file(path))
      << path << " differs; if that is wanted, run again with TACHOSTAT_UPDATE_GOLDEN=1";
}

double number_of(const json& value) { return value.is_null() ? -1 : value.get<double>(); }

profile::SessionInfo session_of(const json& session) {
  profile::SessionInfo info{.model = session.at("model"), .model_hash = session.at("model_hash")};
  const absl::StatusOr<model::Variant> variant =
      model::variant_from_json(session.at("variant").dump());
  EXPECT_TRUE(variant.ok()) << variant.status();
  if (variant.ok()) info.variant = *variant;
  info.threads = session.at("threads");
  info.streams = session.at("streams");
  info.static_shapes = session.at("static_shapes");
  for (const json& layer : session.at("layers")) {
    const json& work = layer.at("work");
    info.layers.push_back({.name = layer.at("name"),
                           .originals = layer.at("originals"),
                           .type = layer.at("type"),
                           .kernel = layer.at("kernel"),
                           .precision = layer.at("precision"),
                           .layout = layer.at("layout"),
                           .work = {.flops = number_of(work.at("flops")),
                                    .weight_bytes = number_of(work.at("weight_bytes")),
                                    .input_bytes = number_of(work.at("input_bytes")),
                                    .output_bytes = number_of(work.at("output_bytes"))}});
  }
  return info;
}

class Golden : public testing::TestWithParam<std::string> {};

TEST_P(Golden, TraceToProfileToFindings) {
  std::ifstream file(path_of(GetParam(), "trace.json"));
  const absl::StatusOr<trace::Trace> trace = trace::read_chrome(file);
  ASSERT_TRUE(trace.ok()) << trace.status();
  const json session = json::parse(read_file(path_of(GetParam(), "session.json")));
  const absl::StatusOr<profile::Roofline> roofline =
      profile::roofline_from_json(session.at("roofline").dump());
  ASSERT_TRUE(roofline.ok()) << roofline.status();

  profile::Builder builder;
  builder.add_session(session.at("session"), session_of(session));
  builder.add(*trace);
  const std::vector<profile::Profile> profiles = builder.profiles();
  ASSERT_EQ(profiles.size(), 1);
  const std::string text = profile::to_text(profiles[0], 0);
  expect_golden(text, path_of(GetParam(), "profile.txt"));

  const std::vector<diagnose::Finding> findings = diagnose::diagnose(profiles[0], *roofline);
  expect_golden(diagnose::to_text(findings), path_of(GetParam(), "findings.txt"));

  // A stored profile says the same as the one it came from.
  const absl::StatusOr<profile::Profile> stored = profile::from_json(profile::to_json(profiles[0]));
  ASSERT_TRUE(stored.ok()) << stored.status();
  EXPECT_EQ(profile::to_text(*stored, 0), text);
  EXPECT_EQ(diagnose::to_text(diagnose::diagnose(*stored, *roofline)), diagnose::to_text(findings));
}

INSTANTIATE_TEST_SUITE_P(Cases, Golden,
                         testing::Values("healthy", "idle_workers", "memory_bound", "open_shapes"),
                         [](const auto& parameter) { return parameter.param; });

}  // namespace
}  // namespace tachostat
