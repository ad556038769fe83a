// Runs what the fuzzers know (fuzz/corpus/FORMAT/*) through the importers, so that every test run
// covers it without libFuzzer.
#include "trace/formats/corpus_test_support.h"

namespace tachostat::trace {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> files_in(const fs::path& folder) {
  std::vector<fs::path> files;
  if (!fs::exists(folder)) return files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file() && entry.file_size() < 200'000) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

const fs::path kSource = TACHOSTAT_SOURCE_DIR;

TEST(FuzzCorpus, EveryKeptInputGetsAClearAnswer) {
  std::size_t tried = 0;
  for (const Importer* importer : importers()) {
    for (const fs::path& file : files_in(kSource / "fuzz/corpus" / importer->name)) {
      SCOPED_TRACE(file.string());
      expect_clear_answer(file_bytes(file), importer->name);
      ++tried;
    }
  }
  EXPECT_GE(tried, 10u);
}

TEST(FuzzCorpus, EveryImporterAnswersEveryOthersFiles) {
  for (const fs::path& file : files_in(kSource / "test/data/imports")) {
    for (const Importer* importer : importers()) {
      SCOPED_TRACE(file.string() + " as " + std::string(importer->name));
      expect_clear_answer(file_bytes(file), importer->name);
    }
  }
}

TEST(FuzzCorpus, EveryImporterHasAFuzzTarget) {
  const std::string targets = " " + file_bytes(kSource / "fuzz/CMakeLists.txt");
  for (const Importer* importer : importers()) {
    const std::size_t at = targets.find(" " + std::string(importer->name));
    ASSERT_NE(at, std::string::npos) << importer->name << ": add it to fuzz/CMakeLists.txt";
    const char after = targets[at + 1 + importer->name.size()];
    EXPECT_TRUE(after == ' ' || after == ')' || after == '\n') << importer->name;
  }
}

TEST(FuzzCorpus, KeptInputsOfOursAreRecognised) {
  for (const std::string_view format :
       {"openvino-graph", "openvino-counters", "litert", "tvm", "vtune", "uprof", "streamline"}) {
    for (const fs::path& file : files_in(kSource / "fuzz/corpus" / format)) {
      if (file.filename().string().starts_with("crash-")) continue;
      auto input = Input::open(file.string());
      ASSERT_TRUE(input.ok());
      std::string_view winner = "nobody";
      for (const Importer* importer : importers()) {
        if (importer->recognises(input->start(), file.filename().string())) {
          winner = importer->name;
          break;
        }
      }
      EXPECT_EQ(winner, format) << file;
    }
  }
}

}  // namespace
}  // namespace tachostat::trace
