#include <gmock/gmock.h>

#include "base/status.h"
#include "trace/formats/import_test_support.h"
#include "xplane.pb.h"

namespace tachostat::trace {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

std::string varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  return bytes + static_cast<char>(value);
}
// A field that holds bytes, and one that holds a number.
std::string field(int number, const std::string& bytes) {
  return varint(static_cast<std::uint64_t>(number) << 3 | 2) + varint(bytes.size()) + bytes;
}
std::string field(int number, std::int64_t value) {
  return varint(static_cast<std::uint64_t>(number) << 3) +
         varint(static_cast<std::uint64_t>(value));
}

xplane::XEvent event(std::int64_t metadata, std::int64_t offset_ps, std::int64_t duration_ps) {
  xplane::XEvent event;
  event.set_metadata_id(metadata);
  event.set_offset_ps(offset_ps);
  event.set_duration_ps(duration_ps);
  return event;
}

std::string line(const std::string& name, std::int64_t timestamp_ns,
                 const std::vector<xplane::XEvent>& events) {
  std::string bytes = field(2, name) + field(3, timestamp_ns);
  for (const xplane::XEvent& one : events) bytes += field(4, one.SerializeAsString());
  return field(3, bytes);
}

std::string event_name(std::int64_t id, const std::string& name,
                       const std::vector<xplane::XStat>& stats = {}) {
  xplane::XEventMetadataEntry entry;
  entry.set_key(id);
  entry.mutable_value()->set_id(id);
  entry.mutable_value()->set_name(name);
  for (const xplane::XStat& stat : stats) *entry.mutable_value()->add_stats() = stat;
  return field(4, entry.SerializeAsString());
}

std::string stat_name(std::int64_t id, const std::string& name) {
  xplane::XStatMetadataEntry entry;
  entry.set_key(id);
  entry.mutable_value()->set_name(name);
  return field(5, entry.SerializeAsString());
}

xplane::XStat number(std::int64_t id, double value) {
  xplane::XStat stat;
  stat.set_metadata_id(id);
  stat.set_double_value(value);
  return stat;
}
xplane::XStat text(std::int64_t id, const std::string& value) {
  xplane::XStat stat;
  stat.set_metadata_id(id);
  stat.set_str_value(value);
  return stat;
}

TEST(XPlane, ReadsARealProfileOfJax) {
  const auto import = import_file(sample("jax.xplane.pb.gz"));
  ASSERT_TRUE(import.ok()) << import.status();
  expect_sound(*import);
  EXPECT_THAT(import->tool, HasSubstr("jax 0."));
  EXPECT_EQ(import->model, "jit_net");
  EXPECT_THAT(names_of(import->trace, Kind::kRequest), ElementsAre("infer", "infer", "infer"));
  EXPECT_THAT(names_of(import->trace, Kind::kLayer), Contains("convolution").Times(3));
  const LayerRow* row = row_named(*import, "transpose_copy_fusion.1");
  ASSERT_NE(row, nullptr);
  EXPECT_EQ(row->type, "transpose_copy_fusion");
  EXPECT_EQ(row->device, "CPU");
  EXPECT_FALSE(names_of(import->trace, Kind::kWorker).empty());
  EXPECT_THAT(import->notes, IsEmpty());
}

TEST(XPlane, ReadsARealProfileOfTensorFlow) {
  const auto import = import_file(sample("tensorflow.xplane.pb.gz"));
  ASSERT_TRUE(import.ok()) << import.status();
  expect_sound(*import);
  EXPECT_THAT(names_of(import->trace, Kind::kRequest), ElementsAre("infer", "infer", "infer"));
  const LayerRow* conv = row_named(*import, "sequential_1/conv2d_1/Relu");
  if (conv == nullptr) conv = row_named(*import, "sequential/conv2d/Relu");
  ASSERT_NE(conv, nullptr);
  EXPECT_EQ(conv->type, "_FusedConv2D");
  EXPECT_THAT(names_of(import->trace, Kind::kLayer), Contains(conv->name).Times(3));
}

// By the published schema; no accelerator was at hand.
TEST(XPlane, ReadsADevicesLines) {
  const std::string host = field(2, "/host:CPU") +
                           line("python", 0, {[] {
                                  xplane::XEvent step = event(1, 0, 9'000'000);
                                  *step.add_stats() = number(1, 7);
                                  return step;
                                }()}) +
                           event_name(1, "train") + stat_name(1, "step_num");
  const std::string device =
      field(1, 1) + field(2, "/device:TPU:0") + line("Steps", 100, {event(1, 0, 8'000'000)}) +
      line("XLA Modules", 100, {event(2, 0, 7'000'000)}) +
      line("XLA Ops", 100, {event(3, 1'500, 2'000'000), event(4, 3'000'000, 1'000'000)}) +
      line("Framework Ops", 100, {event(3, 0, 1)}) + event_name(1, "7") +
      event_name(2, "jit_net(123)") +
      event_name(3, "fusion.12",
                 {text(10, "convolution fusion"), number(11, 4096), number(12, 512),
                  text(13, "jit(net)/conv")}) +
      event_name(4, "copy.1") + stat_name(10, "hlo_category") + stat_name(11, "flops") +
      stat_name(12, "bytes_accessed") + stat_name(13, "tf_op");
  const auto import = import_text(field(1, host) + field(1, device), "xplane");
  ASSERT_TRUE(import.ok()) << import.status();
  expect_sound(*import);
  EXPECT_THAT(names_of(import->trace, Kind::kRequest), ElementsAre("7"));
  EXPECT_THAT(names_of(import->trace, Kind::kStage), ElementsAre("train"));
  EXPECT_THAT(names_of(import->trace, Kind::kLayer), ElementsAre("fusion.12", "copy.1"));
  const Span* fusion = nullptr;
  for (const Span& span : import->trace.spans) {
    if (import->trace.name(span) == "fusion.12") fusion = &span;
  }
  ASSERT_NE(fusion, nullptr);
  EXPECT_EQ(fusion->begin_ns, 101u);
  EXPECT_EQ(fusion->end_ns, 2101u);
  const LayerRow* row = row_named(*import, "fusion.12");
  ASSERT_NE(row, nullptr);
  EXPECT_EQ(row->type, "convolution fusion");
  EXPECT_EQ(row->flops, 4096);
  EXPECT_EQ(row->bytes, 512);
  EXPECT_EQ(row->device, "TPU 0");
  EXPECT_THAT(row->originals, ElementsAre("jit(net)/conv"));
}

TEST(XPlane, JoinsAStreamsKernelsOfOneOperation) {
  const auto kernel = [](std::int64_t metadata, std::int64_t at, std::uint64_t op) {
    xplane::XEvent one = event(metadata, at, 1'000'000);
    xplane::XStat* stat = one.add_stats();
    stat->set_metadata_id(1);
    stat->set_ref_value(op);
    *one.add_stats() = text(2, "regs:32 occ_pct:50 odd");
    return one;
  };
  const std::string plane = field(2, "/device:GPU:1") +
                            line("Stream #14(Compute)", 0,
                                 {kernel(1, 0, 20), kernel(1, 2'000'000, 20),
                                  kernel(1, 4'000'000, 21), event(2, 6'000'000, 1'000'000)}) +
                            event_name(1, "gemm") + event_name(2, "MemcpyD2H") +
                            stat_name(1, "hlo_op") + stat_name(2, "kernel_details") +
                            stat_name(20, "dot.1") + stat_name(21, "dot.2");
  const auto import = import_text(field(1, plane), "xplane");
  ASSERT_TRUE(import.ok()) << import.status();
  EXPECT_THAT(names_of(import->trace, Kind::kLayer), UnorderedElementsAre("dot.1", "dot.2"));
  EXPECT_THAT(names_of(import->trace, Kind::kPrimitive),
              UnorderedElementsAre("gemm", "gemm", "gemm", "MemcpyD2H"));
  const LayerRow* row = row_named(*import, "dot.1");
  ASSERT_NE(row, nullptr);
  EXPECT_EQ(row->kernel, "gemm");
  EXPECT_EQ(row->device, "GPU 1");
  EXPECT_EQ(row->metrics.at("regs"), 32);
  EXPECT_EQ(row->metrics.at("occ_pct"), 50);
}

TEST(XPlane, TellsOperationsOfTwoModulesApart) {
  const auto thunk = [](const char* module, std::int64_t at) {
    xplane::XEvent one = event(1, at, 1'000);
    *one.add_stats() = text(1, "dot");
    *one.add_stats() = text(2, module);
    return one;
  };
  const auto import = import_text(
      field(1, field(2, "/host:CPU") + line("worker", 0, {thunk("a", 0), thunk("b", 5'000)}) +
                   event_name(1, "dot") + stat_name(1, "hlo_op") + stat_name(2, "hlo_module")));
  ASSERT_TRUE(import.ok()) << import.status();
  EXPECT_THAT(names_of(import->trace, Kind::kLayer), ElementsAre("dot", "dot (b)"));
  EXPECT_EQ(import->model, "");
}

TEST(XPlane, LeavesOutTimesThatDoNotFit) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  const auto import = import_text(field(
      1, field(2, "/host:CPU") + line("a", kMost, {event(1, kMost, 1), event(1, 5, -3)}) +
             line("b", -500, {event(1, -1'500, 1'000), event(9, 10, kMost)}) + event_name(1, "x")));
  ASSERT_TRUE(import.ok()) << import.status();
  expect_sound(*import);
  EXPECT_EQ(import->trace.spans.size(), 1u);
  EXPECT_THAT(import->notes, Contains(HasSubstr("3 events")));
}

TEST(XPlane, RefusesWhatIsCutOffOrNoXSpace) {
  const std::string whole =
      field(1, field(2, "/host:CPU") + line("a", 0, {event(1, 1, 2)}) + event_name(1, "x"));
  for (std::size_t size = 1; size < whole.size(); ++size) {
    EXPECT_FALSE(import_text(whole.substr(0, size), "xplane").ok()) << size;
  }
  const absl::Status empty = import_text("", "xplane").status();
  EXPECT_THAT(base::message_of(empty), HasSubstr("empty"));
  // Lengths that claim more than there is.
  EXPECT_FALSE(import_text("\x0a\xff\xff\xff\xff\x07", "xplane").ok());
  EXPECT_FALSE(import_text(field(1, "\x12\xff\xff\xff\x1f"), "xplane").ok());
  EXPECT_FALSE(import_text("{\"traceEvents\":[]}", "xplane").ok());
}

}  // namespace
}  // namespace tachostat::trace
