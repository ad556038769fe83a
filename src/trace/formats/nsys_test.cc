#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sqlite3.h>

#include <cstdio>

#include "base/status.h"
#include "trace/formats/import_test_support.h"

namespace tachostat::trace {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

// The bytes of a database made by these statements.
std::string database(const std::string& sql) {
  SQLite::Database made(":memory:", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
  made.exec(sql);
  sqlite3_int64 size = 0;
  unsigned char* const bytes = sqlite3_serialize(made.getHandle(), "main", &size, 0);
  std::string copy(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  sqlite3_free(bytes);
  return copy;
}

// By the published schema; Nsight Systems was not at hand.
constexpr const char* kTables = R"(
CREATE TABLE StringIds (id INTEGER PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE CUPTI_ACTIVITY_KIND_KERNEL (start INTEGER NOT NULL, end INTEGER NOT NULL, deviceId INTEGER, contextId INTEGER,
  streamId INTEGER, correlationId INTEGER, globalPid INTEGER, demangledName INTEGER, shortName INTEGER, registersPerThread INTEGER,
  gridX INTEGER, gridY INTEGER, gridZ INTEGER, blockX INTEGER, blockY INTEGER, blockZ INTEGER, staticSharedMemory INTEGER,
  dynamicSharedMemory INTEGER);
CREATE TABLE CUPTI_ACTIVITY_KIND_MEMCPY (start INTEGER, end INTEGER, deviceId INTEGER, streamId INTEGER, correlationId INTEGER,
  bytes INTEGER, copyKind INTEGER);
CREATE TABLE CUPTI_ACTIVITY_KIND_RUNTIME (start INTEGER, end INTEGER, eventClass INTEGER, globalTid INTEGER,
  correlationId INTEGER, nameId INTEGER, returnValue INTEGER);
CREATE TABLE NVTX_EVENTS (start INTEGER NOT NULL, end INTEGER, eventType INTEGER NOT NULL, text TEXT, textId INTEGER,
  globalTid INTEGER, domainId INTEGER);
CREATE TABLE ThreadNames (nameId INTEGER, priority INTEGER, globalTid INTEGER);
INSERT INTO StringIds VALUES (1, 'void gemm<float>(Params)'), (2, 'gemm'), (3, 'cudaLaunchKernel_v7000'), (4, 'conv1 + relu1'),
  (5, 'trt main');
)";

std::string whole() {
  return database(std::string(kTables) + R"(
INSERT INTO NVTX_EVENTS VALUES (1000, 5000, 59, 'inference', NULL, 16777218, 0), (1100, 2000, 59, NULL, 4, 16777218, 1),
  (2100, 3000, 59, 'fc', NULL, 16777218, 1), (900, NULL, 75, 'TensorRT', NULL, 16777218, 1);
INSERT INTO CUPTI_ACTIVITY_KIND_RUNTIME VALUES (1200, 1300, 0, 16777218, 11, 3, 0), (1400, 1500, 0, 16777218, 12, 3, 0),
  (2200, 2300, 0, 16777218, 13, 3, 0), (4000, 4100, 0, 16777218, 14, 3, 0);
INSERT INTO CUPTI_ACTIVITY_KIND_KERNEL VALUES (10000, 11000, 0, 1, 7, 11, 1, 1, 2, 64, 8, 2, 1, 128, 1, 1, 100, 28),
  (11500, 12000, 0, 1, 7, 12, 1, 1, 2, 64, 8, 2, 1, 128, 1, 1, 100, 28), (13000, 14000, 0, 1, 7, 13, 1, 1, 2, 64, 8, 2, 1, 128, 1, 1, 100, 28);
INSERT INTO CUPTI_ACTIVITY_KIND_MEMCPY VALUES (15000, 16000, 0, 7, 14, 4096, 2);
INSERT INTO ThreadNames VALUES (5, 0, 16777218);
)");
}

void expect_spans(const Trace& trace) {
  EXPECT_THAT(names_of(trace, Kind::kLayer),
              UnorderedElementsAre("conv1 + relu1", "fc", "Memcpy DtoH"));
  EXPECT_THAT(names_of(trace, Kind::kRequest), ElementsAre("inference"));
  EXPECT_THAT(names_of(trace, Kind::kStage),
              UnorderedElementsAre("inference", "conv1 + relu1", "fc"));
  EXPECT_THAT(names_of(trace, Kind::kOperator), Contains("cudaLaunchKernel").Times(4));
  EXPECT_THAT(names_of(trace, Kind::kPrimitive), Contains("void gemm<float>(Params)").Times(3));
  for (const Span& span : trace.spans) {
    if (span.kind == Kind::kLayer && trace.name(span) == "conv1 + relu1") {
      EXPECT_EQ(span.begin_ns, 10'000u);
      EXPECT_EQ(span.end_ns, 12'000u);
      EXPECT_EQ(span.depth, 1u);
    }
    if (span.kind == Kind::kRequest) {
      EXPECT_EQ(span.begin_ns, 10'000u);
      EXPECT_EQ(span.end_ns, 16'000u);
    }
  }
  EXPECT_EQ(trace.flows.size(), 4u + 2u + 1u);  // launches, layers, the request
  EXPECT_THAT(trace.threads, Contains(testing::Pair(testing::_, "trt main")));
  EXPECT_THAT(trace.threads, Contains(testing::Pair(testing::_, "GPU 0 stream 7")));
}

void expect_rows(const Import& import) {
  const LayerRow* row = row_named(import, "conv1 + relu1");
  ASSERT_NE(row, nullptr);
  EXPECT_EQ(row->device, "GPU 0");
  EXPECT_EQ(row->kernel, "void gemm<float>(Params)");
  EXPECT_EQ(row->metrics.at("registers per thread"), 64);
  EXPECT_EQ(row->metrics.at("shared memory"), 128);
  EXPECT_EQ(row->metrics.at("blocks"), 16);
  EXPECT_EQ(row->metrics.at("threads per block"), 128);
  EXPECT_EQ(row_named(import, "Memcpy DtoH")->metrics.at("bytes"), 4096);
  EXPECT_THAT(import.notes, IsEmpty());
}

void expect_whole(const Import& import) {
  EXPECT_EQ(import.tool, "nsys");
  expect_sound(import);
  expect_spans(import.trace);
  expect_rows(import);
}

TEST(Nsys, GivesARangeItsKernelsTimeOnTheDevice) {
  const auto import = import_text(whole());
  ASSERT_TRUE(import.ok()) << import.status();
  expect_whole(*import);
}

TEST(Nsys, ReadsAFileOnDiskToo) {
  const std::string path = testing::TempDir() + "nsys 100%?#.sqlite";
  std::FILE* const file = std::fopen(path.c_str(), "wb");
  ASSERT_NE(file, nullptr);
  const std::string bytes = whole();
  EXPECT_EQ(std::fwrite(bytes.data(), 1, bytes.size(), file), bytes.size());
  std::fclose(file);
  const auto import = import_file(path);
  std::remove(path.c_str());
  ASSERT_TRUE(import.ok()) << import.status();
  expect_whole(*import);
}

TEST(Nsys, TakesKernelsForLayersWithoutRanges) {
  const auto import = import_text(database(R"(
CREATE TABLE CUPTI_ACTIVITY_KIND_KERNEL (start INTEGER, end INTEGER, name TEXT);
INSERT INTO CUPTI_ACTIVITY_KIND_KERNEL VALUES (5, 9, 'a'), (10, 12, 'b'), (20, 21, 'a'), (30, 20, 'backwards'), ('x', 2, 'text');)"));
  ASSERT_TRUE(import.ok()) << import.status();
  EXPECT_THAT(names_of(import->trace, Kind::kLayer), UnorderedElementsAre("a", "b", "a"));
  EXPECT_EQ(import->layers.size(), 2u);
  EXPECT_THAT(import->notes, UnorderedElementsAre(HasSubstr("2 events"),
                                                  HasSubstr("nothing says where one begins")));
}

TEST(Nsys, TakesInnermostRangesForLayersWithoutADevice) {
  const auto import = import_text(database(std::string(kTables) + R"(
INSERT INTO NVTX_EVENTS VALUES (0, 100, 59, 'step', NULL, 1, 0), (10, 40, 59, 'block', NULL, 1, 0), (11, 20, 59, 'conv', NULL, 1, 0),
  (50, 60, 59, 'aten::mm, seq = 5, op_id = 9', NULL, 1, 0), (51, 55, 59, 'aten::addmm', NULL, 1, 0);)"));
  ASSERT_TRUE(import.ok()) << import.status();
  EXPECT_THAT(names_of(import->trace, Kind::kRequest), ElementsAre("step"));
  // Of PyTorch's operators the outermost.
  EXPECT_THAT(names_of(import->trace, Kind::kLayer), UnorderedElementsAre("conv", "aten::mm"));
}

TEST(Nsys, RefusesOtherDatabasesAndDamage) {
  const std::string other = database("CREATE TABLE t (a); INSERT INTO t VALUES (1);");
  EXPECT_THAT(base::message_of(import_text(other, "nsys", "other.db").status()),
              HasSubstr("other.db: no kernel"));
  EXPECT_FALSE(import_text("", "nsys").ok());
  EXPECT_FALSE(import_text("SQLite format 3", "nsys").ok());
  const std::string good = whole();
  // Every cut, and every page overwritten, gives an answer.
  for (std::size_t size = 16; size < good.size(); size += 509) {
    const auto import = import_text(good.substr(0, size), "nsys");
    if (import.ok()) expect_sound(*import);
  }
  for (std::size_t at = 16; at < good.size(); at += 61) {
    std::string damaged = good;
    for (std::size_t i = at; i < std::min(at + 8, damaged.size()); ++i) damaged[i] = '\xff';
    const auto import = import_text(damaged, "nsys");
    if (import.ok()) expect_sound(*import);
  }
}

TEST(Nsys, RunsNoCodeThatTheSchemaHolds) {
  // A view that never ends, in place of a table.
  const std::string view = database(R"(
CREATE VIEW CUPTI_ACTIVITY_KIND_KERNEL AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)
  SELECT x AS start, x AS end FROM n;)");
  EXPECT_THAT(base::message_of(import_text(view).status()), HasSubstr("no kernel"));
  // A computed column that takes long for each row.
  const std::string computed = database(R"(
CREATE TABLE CUPTI_ACTIVITY_KIND_KERNEL (start INTEGER, end INTEGER GENERATED ALWAYS AS (
  length(replace(hex(zeroblob(4000000)), '0', 'abc')) + start));
INSERT INTO CUPTI_ACTIVITY_KIND_KERNEL(start) VALUES (1);)");
  const auto import = import_text(computed);
  if (import.ok()) expect_sound(*import);
}

TEST(Nsys, StopsWhenADatabaseAsksForMoreWorkThanItsSize) {
  // Short rows, each with thousands of instructions to compute it.
  std::string sum = "start";
  for (int i = 0; i < 900; ++i) sum += "+1";
  const std::string table = fmt::format(
      "CREATE TABLE NVTX_EVENTS (start INTEGER, end INTEGER GENERATED ALWAYS AS ({0}),"
      " a INTEGER GENERATED ALWAYS AS ({0}), b INTEGER GENERATED ALWAYS AS ({0}));"
      "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 5000) "
      "INSERT INTO NVTX_EVENTS(start) SELECT x FROM n;",
      sum);
  const absl::Status status = import_text(database(table)).status();
  EXPECT_THAT(base::message_of(status), HasSubstr("interrupt"));
}

}  // namespace
}  // namespace tachostat::trace
