#include "trace/formats/perfetto.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <sstream>

#include "perfetto.pb.h"

namespace tachostat::trace {
namespace {

using perfetto::TrackEvent;
using testing::ElementsAre;
using testing::SizeIs;

perfetto::Trace written(const Trace& trace) {
  std::ostringstream out;
  write_perfetto(trace, out);
  perfetto::Trace read;
  EXPECT_TRUE(read.ParseFromString(out.str()));
  return read;
}

Trace example() {
  Trace trace;
  trace.names = {"inference", "Conv;\"1\"\n\xff", "body", ""};
  trace.threads = {{11, "stream 0"}};
  trace.spans = {
      {.begin_ns = 100, .end_ns = 200, .name = 0, .thread = 11, .kind = Kind::kRequest},
      {.begin_ns = 100, .end_ns = 150, .name = 1, .thread = 11, .depth = 1, .kind = Kind::kLayer},
      {.begin_ns = 150, .end_ns = 190, .name = 3, .thread = 11, .depth = 1, .kind = Kind::kLayer},
      {.begin_ns = 110, .end_ns = 140, .name = 2, .thread = 0xffffffff, .kind = Kind::kWorker}};
  trace.marks = {{.session = 3, .thread = 11, .begin_ns = 99, .end_ns = 201, .bucket = "x[1,3]"}};
  trace.counters = {{.name = "package power", .unit = "W", .points = {{100, 12.5}, {160, -1}}}};
  trace.flows = {{.from = 1, .to = 3}, {.from = 7, .to = 0}};
  trace.dropped = 5;
  return trace;
}

// "100 B Conv 11" for each slice's edge: time, begin or end, name, thread's track.
std::vector<std::string> edges(const perfetto::Trace& read) {
  std::map<std::uint64_t, std::string> names, tracks;
  std::vector<std::string> lines;
  for (const perfetto::TracePacket& packet : read.packet()) {
    for (const auto& name : packet.interned_data().event_names()) names[name.iid()] = name.name();
    const perfetto::TrackDescriptor& track = packet.track_descriptor();
    if (track.has_thread()) tracks[track.uuid()] = track.thread().thread_name();
    const TrackEvent& event = packet.track_event();
    if (event.type() == TrackEvent::TYPE_SLICE_BEGIN) {
      lines.push_back(std::to_string(packet.timestamp()) + " + " + names[event.name_iid()] +
                      " on " + tracks[event.track_uuid()]);
    } else if (event.type() == TrackEvent::TYPE_SLICE_END) {
      lines.push_back(std::to_string(packet.timestamp()) + " - on " + tracks[event.track_uuid()]);
    }
  }
  return lines;
}

TEST(Perfetto, SlicesNestOnTheirThreads) {
  EXPECT_THAT(edges(written(example())),
              ElementsAre("100 + inference on stream 0", "100 + Conv;\"1\"\n\uFFFD on stream 0",
                          "110 + body on thread 4294967295", "140 - on thread 4294967295",
                          "150 - on stream 0", "150 + (unnamed) on stream 0", "190 - on stream 0",
                          "200 - on stream 0"));
}

TEST(Perfetto, FlowsLeadFromTheRequestToLayersToWorkers) {
  std::map<std::uint64_t, std::uint64_t> from, to;  // flow to the time of its end
  const perfetto::Trace read = written(example());
  for (const perfetto::TracePacket& packet : read.packet()) {
    const TrackEvent& event = packet.track_event();
    for (const auto id : event.flow_ids()) EXPECT_TRUE(from.emplace(id, packet.timestamp()).second);
    for (const auto id : event.terminating_flow_ids()) to.emplace(id, packet.timestamp());
  }
  std::set<std::pair<std::uint64_t, std::uint64_t>> flows;
  for (const auto& [id, ns] : from) flows.emplace(ns, to.at(id));
  EXPECT_THAT(flows, ElementsAre(testing::Pair(100, 100), testing::Pair(100, 110),
                                 testing::Pair(100, 150)));
  EXPECT_THAT(from, SizeIs(3));  // the trace's own, from layer to worker, is not there twice
}

TEST(Perfetto, TracksAreOneProcesss) {
  const perfetto::Trace read = written(example());
  std::set<std::uint64_t> uuids;
  std::vector<double> values;
  for (const perfetto::TracePacket& packet : read.packet()) {
    EXPECT_EQ(packet.trusted_packet_sequence_id(), 1u);
    EXPECT_TRUE(packet.sequence_flags() & perfetto::TracePacket::SEQ_NEEDS_INCREMENTAL_STATE);
    const perfetto::TrackDescriptor& track = packet.track_descriptor();
    if (track.has_process()) {
      EXPECT_EQ(track.uuid(), 1u);
      EXPECT_EQ(track.process().process_labels(0), "5 spans lost");
    } else if (packet.has_track_descriptor()) {
      EXPECT_EQ(track.parent_uuid(), 1u);
    }
    if (packet.has_track_descriptor()) {
      EXPECT_TRUE(uuids.insert(track.uuid()).second);
    }
    if (track.has_counter()) {
      EXPECT_EQ(track.name(), "package power");
      EXPECT_EQ(track.counter().unit_name(), "W");
    }
    const TrackEvent& event = packet.track_event();
    if (event.type() == TrackEvent::TYPE_COUNTER) values.push_back(event.double_counter_value());
    if (packet.has_track_event()) {
      EXPECT_TRUE(uuids.contains(event.track_uuid()));
    }
    if (event.debug_annotations_size() > 0) {
      EXPECT_EQ(event.debug_annotations(0).uint_value(), 3u);
      EXPECT_EQ(event.debug_annotations(1).string_value(), "x[1,3]");
    }
  }
  EXPECT_THAT(values, ElementsAre(12.5, -1));
  EXPECT_THAT(uuids, SizeIs(4));
  EXPECT_EQ(read.packet(0).sequence_flags(), 3u);
}

TEST(Perfetto, EmptyTrace) { EXPECT_EQ(written(Trace{}).packet_size(), 2); }

// The exact bytes, so that a change of the wire format is seen: one span, name "a".
TEST(Perfetto, Bytes) {
  Trace trace;
  trace.names = {"a"};
  trace.spans = {{.begin_ns = 3, .end_ns = 300, .thread = 7, .kind = Kind::kLayer}};
  std::ostringstream out;
  write_perfetto(trace, out);
  const std::string begin(
      "\x0A\x14\x40\x03\x50\x01\x5A\x0C\x18\x02\x48\x01\x50\x02\x58\x87\x80\x80\x80\x10\x68\x02");
  const std::string end(
      "\x0A\x11\x40\xAC\x02\x50\x01\x5A\x08\x48\x02\x58\x87\x80\x80\x80\x10\x68\x02");
  EXPECT_THAT(out.str(), testing::HasSubstr(begin));
  EXPECT_THAT(out.str(), testing::EndsWith(end));
}

}  // namespace
}  // namespace tachostat::trace
