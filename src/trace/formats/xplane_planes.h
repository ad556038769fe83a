// XLA's planes, event by event, and what of them is a layer.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "trace/formats/timeline.h"
#include "xplane.pb.h"

namespace tachostat::trace {

// Names come after the events that use them. So events wait until their plane ends, as members of a
// class: events with the same metadata and the same texts in their stats. A class keeps the stats
// of its first event.
class XPlanes {
 public:
  void begin_plane() { plane_ = Plane{}; }
  std::string& plane_name() { return plane_.name; }
  void add_event_metadata(const xplane::XEventMetadataEntry& entry);
  void add_stat_metadata(const xplane::XStatMetadataEntry& entry);
  void add_plane_stat(const xplane::XStat& stat) { plane_.stats.push_back(stat); }
  void begin_line() { plane_.lines.push_back({.first = plane_.events.size()}); }
  void add_event(const xplane::XEvent& event);
  void end_line(std::int64_t id, std::string_view name, std::int64_t timestamp_ns);
  void end_plane();

  std::size_t planes() const { return planes_; }
  Import finish();

 private:
  struct Event {
    std::uint32_t event_class;
    std::int64_t begin_ps;  // since the line's timestamp
    std::int64_t duration_ps;
  };
  struct EventClass {
    std::int64_t metadata = 0;
    std::vector<xplane::XStat> stats = {};
  };
  struct Metadata {
    std::string name = {};
    std::vector<xplane::XStat> stats = {};
  };
  struct Line {
    std::size_t first = 0;  // of Plane::events, to the next line's
    std::int64_t id = 0;
    std::string name = {};
    std::int64_t timestamp_ns = 0;
  };
  struct Plane {
    std::string name = {};
    std::vector<Line> lines = {};
    std::vector<Event> events = {};
    std::vector<EventClass> classes = {};
    absl::flat_hash_map<std::string, std::uint32_t> class_numbers = {};
    absl::flat_hash_map<std::int64_t, Metadata> metadata = {};
    absl::flat_hash_map<std::int64_t, std::string> stat_names = {};
    std::vector<xplane::XStat> stats = {};
  };
  // What a class's stats and its metadata's say.
  struct Facts {
    std::string name = {};
    std::string hlo_op = {};
    std::string module = {};
    std::string category = {};      // hlo_category: "convolution fusion"
    std::string framework_op = {};  // "jit(net)/conv_general_dilated", "model/dense/MatMul"
    bool is_step = false;
    std::map<std::string, double> numbers = {};
  };
  // What a line holds.
  enum class LineIs { kThread, kStream, kSteps, kModules, kOps, kAsync, kDerived };
  struct Role {  // of a class on a line
    Kind kind = Kind::kOther;
    enum { kSpan, kDrop, kRegionStart, kRegionStop } use = kSpan;
    std::uint32_t name = 0;
    std::uint32_t layer = 0;  // of the layer that a kernel is part of; kNone: of none
  };

  LineIs line_is(std::string_view name) const;
  Facts facts_of(const EventClass& event_class) const;
  void take(const xplane::XStat& stat, Facts& facts) const;
  Role role_of(const Facts& facts, LineIs line);
  std::uint32_t layer(const Facts& facts);
  void place_line(const Line& line, std::size_t end, const std::vector<Facts>& facts);
  void wrap_kernels(std::uint32_t first_span, const std::vector<std::uint32_t>& layers);
  void nest_layers();
  void take_plane_stats();

  Timeline timeline_;
  Plane plane_;
  std::size_t planes_ = 0;
  std::vector<LayerRow> rows_;
  std::map<std::pair<std::string, std::string>, std::uint32_t> layers_;  // operation, module: name
  std::map<std::uint32_t, std::size_t> row_of_;                          // by name
  std::vector<std::uint32_t> host_steps_;                                // spans
  bool device_requests_ = false;
  std::string tool_ = "xla";
  std::map<std::string, bool> modules_;
  std::uint64_t totals_ = 0;  // events that are sums, not spans
};

}  // namespace tachostat::trace
