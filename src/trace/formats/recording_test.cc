#include "trace/formats/recording.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <limits>

#include "trace/formats/recording_layout.h"

namespace tachostat::trace {
namespace {

using recording::Block;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

template <class T>
std::string bytes_of(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

std::string block(Block type, const std::string& payload) {
  return bytes_of(recording::BlockHead{static_cast<std::uint32_t>(type),
                                       static_cast<std::uint32_t>(payload.size())}) +
         payload;
}

std::string numbered(Block type, std::uint32_t number, const std::string& text) {
  return block(type, bytes_of(number) + text);
}

std::string span(std::uint64_t begin, std::uint64_t end, std::uint32_t name, std::uint32_t thread,
                 Kind kind = Kind::kOther) {
  return bytes_of(
      recording::SpanRecord{begin, end, name, thread, 0, static_cast<std::uint32_t>(kind)});
}

std::string nvtx(const std::string& message, const std::string& domain = "") {
  return "\x1f" + domain + "\x1f" + message;
}

std::string start(std::uint32_t process = 42) {
  recording::Header header;
  header.process = process;
  return bytes_of(header) + block(Block::kProcess, "python3");
}

class Recording : public testing::Test {
 protected:
  absl::StatusOr<ProcessRecording> read(const std::string& bytes) {
    std::ofstream(path_, std::ios::binary) << bytes;
    return read_recording(path_);
  }
  ProcessRecording good(const std::string& bytes) {
    absl::StatusOr<ProcessRecording> result = read(bytes);
    EXPECT_TRUE(result.ok()) << result.status();
    return result.ok() ? *std::move(result) : ProcessRecording{};
  }
  std::string error(const std::string& bytes) {
    const absl::StatusOr<ProcessRecording> result = read(bytes);
    EXPECT_EQ(result.status().code(), absl::StatusCode::kInvalidArgument);
    return std::string(result.status().message());
  }
  void TearDown() override { std::filesystem::remove(path_); }

  const std::string path_ = testing::TempDir() + "recording_" +
                            testing::UnitTest::GetInstance()->current_test_info()->name();
};

// The kinds of a process's spans, in order.
std::vector<Kind> kinds(const Trace& trace) {
  std::vector<Kind> kinds;
  for (const Span& one : trace.spans) kinds.push_back(one.kind);
  return kinds;
}

TEST_F(Recording, ReadsWhatTheCollectorWrites) {
  const ProcessRecording process =
      good(start() + block(Block::kLibrary, "ITT /lib/a.so") + numbered(Block::kName, 0, "?") +
           numbered(Block::kName, 1, "Conv_1") + numbered(Block::kThread, 7, "main") +
           block(Block::kSpans, span(10, 20, 1, 7, Kind::kLayer) + span(30, 40, 0, 7)) +
           numbered(Block::kCounter, 0, "queue") +
           block(Block::kPoints, bytes_of(recording::PointRecord{15, 2.5, 0, 0})) +
           block(Block::kDropped, bytes_of(std::uint64_t{3})) + block(Block::kEnd, ""));
  EXPECT_EQ(process.process, 42u);
  EXPECT_EQ(process.name, "python3");
  EXPECT_TRUE(process.ended);
  EXPECT_THAT(process.libraries, ElementsAre("ITT /lib/a.so"));
  EXPECT_EQ(process.trace.dropped, 3u);
  const Trace trace = merge({process});
  ASSERT_THAT(trace.spans, SizeIs(2));
  EXPECT_EQ(trace.name(trace.spans[0]), "Conv_1");
  EXPECT_EQ(trace.spans[0].kind, Kind::kLayer);
  EXPECT_THAT(trace.threads, ElementsAre(Pair(7u, "python3/42 main")));
  ASSERT_THAT(trace.counters, SizeIs(1));
  EXPECT_EQ(trace.counters[0].name, "python3/42 queue");
  EXPECT_THAT(trace.counters[0].points, ElementsAre(Pair(15u, 2.5)));
}

TEST_F(Recording, ACutOffFileIsReadUpToThere) {
  const std::string whole = start() + numbered(Block::kName, 0, "a") +
                            block(Block::kSpans, span(10, 20, 0, 7)) +
                            block(Block::kSpans, span(30, 40, 0, 7));
  for (std::size_t size = sizeof(recording::Header); size < whole.size(); ++size) {
    const ProcessRecording process = good(whole.substr(0, size));
    EXPECT_LE(process.trace.spans.size(), 1u) << size;
    EXPECT_FALSE(process.ended);
  }
}

TEST_F(Recording, RefusesWhatTheCollectorDoesNotWrite) {
  EXPECT_THAT(error(""), HasSubstr("not a recording"));
  EXPECT_THAT(error("{\"traceEvents\":[]}      "), HasSubstr("not a recording"));
  EXPECT_THAT(error(start() + bytes_of(recording::BlockHead{1, 0xffffffff})), HasSubstr("block"));
  EXPECT_THAT(error(start() + block(static_cast<Block>(99), "")), HasSubstr("unknown type 99"));
  EXPECT_THAT(error(start() + numbered(Block::kName, 5, "a")), HasSubstr("a name"));
  EXPECT_THAT(error(start() + block(Block::kName, "a")), HasSubstr("a name"));
  EXPECT_THAT(error(start() + block(Block::kSpans, "short")), HasSubstr("spans"));
  EXPECT_THAT(error(start() + block(Block::kSpans, span(20, 10, 0, 7))), HasSubstr("a span"));
  EXPECT_THAT(error(start() + block(Block::kSpans, span(1, 2, 0, 7, static_cast<Kind>(77)))),
              HasSubstr("a span"));
  EXPECT_THAT(error(start() + block(Block::kPoints, bytes_of(recording::PointRecord{1, 1, 9, 0}))),
              HasSubstr("counter"));
  EXPECT_THAT(error(start() + numbered(Block::kCounter, 3, "c")), HasSubstr("counter"));
}

TEST_F(Recording, ACounterThatIsNoNumberLeavesAGap) {
  const double nothing = std::numeric_limits<double>::quiet_NaN();
  const ProcessRecording process =
      good(start() + numbered(Block::kCounter, 0, "queue") +
           block(Block::kPoints, bytes_of(recording::PointRecord{1, nothing, 0, 0}) +
                                     bytes_of(recording::PointRecord{2, 4, 0, 0})));
  ASSERT_THAT(process.trace.counters, SizeIs(1));
  EXPECT_THAT(process.trace.counters[0].points, ElementsAre(Pair(2u, 4.0)));
}

TEST_F(Recording, ASpanWithoutANameIsCountedAsLost) {
  const ProcessRecording process = good(start() + block(Block::kSpans, span(1, 2, 5, 7)));
  EXPECT_THAT(process.trace.spans, IsEmpty());
  EXPECT_EQ(process.trace.dropped, 1u);
}

TEST_F(Recording, ThreadsOfSeveralProcessesStayApart) {
  const std::string content =
      numbered(Block::kName, 0, "a") + numbered(Block::kThread, 7, "main") +
      numbered(Block::kThread, recording::kLines, "line") +
      block(Block::kSpans, span(1, 2, 0, 7) + span(1, 2, 0, recording::kLines));
  const Trace trace = merge({good(start(43) + content), good(start(42) + content)});
  EXPECT_THAT(trace.names, ElementsAre("a"));
  EXPECT_THAT(trace.threads,
              ElementsAre(Pair(7u, "python3/42 main"), Pair(recording::kLines, "python3/42 line"),
                          Pair(recording::kLines + 1, "python3/43 main"),
                          Pair(recording::kLines + 2, "python3/43 line")));
  ASSERT_THAT(trace.spans, SizeIs(4));
  EXPECT_EQ(trace.spans[2].thread, recording::kLines + 1);
}

TEST_F(Recording, ARangeThatHoldsOthersIsARequestAndTheyAreItsLayers) {
  const ProcessRecording process = good(
      start() + numbered(Block::kName, 0, nvtx("turn")) +
      numbered(Block::kName, 1, nvtx("conv", "net")) + numbered(Block::kName, 2, nvtx("load")) +
      block(Block::kSpans, span(20, 30, 1, 7) + span(40, 50, 1, 7) + span(10, 60, 0, 7) +
                               span(70, 80, 2, 7) + span(5, 90, 0, recording::kLines)));
  EXPECT_EQ(process.domains[1], "nvtx:net");
  EXPECT_EQ(process.trace.names[1], "conv");
  EXPECT_THAT(kinds(merge({process})),
              ElementsAre(Kind::kLayer, Kind::kLayer, Kind::kRequest, Kind::kOther, Kind::kOther));
}

TEST_F(Recording, ARangeMayBeARequestByItsName) {
  const ProcessRecording process =
      good(start() + numbered(Block::kName, 0, nvtx("Iteration 3")) +
           numbered(Block::kName, 1, nvtx("load")) +
           block(Block::kSpans, span(10, 20, 0, 7) + span(30, 40, 1, 7)));
  EXPECT_THAT(kinds(merge({process})), ElementsAre(Kind::kRequest, Kind::kOther));
}

TEST_F(Recording, RangesAreLayersWhereNothingIsARequest) {
  const ProcessRecording process =
      good(start() + numbered(Block::kName, 0, nvtx("conv")) +
           block(Block::kSpans, span(10, 20, 0, 7) + span(30, 40, 0, 7)));
  EXPECT_THAT(kinds(merge({process})), ElementsAre(Kind::kLayer, Kind::kLayer));
}

TEST_F(Recording, ARequestOfALibraryGoesBeforeRangesAroundIt) {
  const ProcessRecording process = good(
      start() + numbered(Block::kName, 0, nvtx("iteration")) + numbered(Block::kName, 1, "infer") +
      block(Block::kSpans, span(10, 60, 0, 7) + span(20, 50, 1, 7, Kind::kRequest)));
  EXPECT_THAT(kinds(merge({process})), ElementsAre(Kind::kOther, Kind::kRequest));
}

}  // namespace
}  // namespace tachostat::trace
