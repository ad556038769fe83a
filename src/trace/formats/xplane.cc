// TensorFlow's, XLA's and JAX's profile: *.xplane.pb, an XSpace of planes of lines of events.
// Source of the format: tsl/profiler/protobuf/xplane.proto and the names in
// tsl/profiler/utils/xplane_schema.cc (openxla/xla); tried with JAX's and TensorFlow's own files.
#include <fmt/format.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/wire_format_lite.h>

#include <limits>

#include "base/status.h"
#include "trace/formats/formats.h"
#include "trace/formats/xplane_planes.h"

namespace tachostat::trace {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;

// What is longer is a module's whole HLO, which nobody here reads: skipped.
constexpr std::uint32_t kLargest = 64 << 20;

// Gives protobuf the file piece by piece, and keeps the error that reading met.
class InputBytes final : public google::protobuf::io::CopyingInputStream {
 public:
  explicit InputBytes(Input& input) : input_(input) {}
  int Read(void* to, int size) override {
    const auto got = input_.read(static_cast<char*>(to), static_cast<std::size_t>(size));
    if (got.ok()) return static_cast<int>(*got);
    status_ = got.status();
    return -1;
  }
  const absl::Status& status() const { return status_; }

 private:
  Input& input_;
  absl::Status status_;
};

// Walks the messages that hold many others. False anywhere: the bytes are no such message, or end
// too early.
class XSpaceWalker {
 public:
  XSpaceWalker(CodedInputStream& in, XPlanes& planes) : in_(in), planes_(planes) {}

  bool space() {
    return fields([this](std::uint32_t tag) {
      return tag == length_delimited(1) ? inside([this] { return plane(); }) : skip(tag);
    });
  }

 private:
  static constexpr std::uint32_t length_delimited(std::uint32_t field) { return field << 3 | 2; }
  static constexpr std::uint32_t varint(std::uint32_t field) { return field << 3; }

  template <class Field>
  bool fields(Field field) {
    for (;;) {
      const std::uint32_t tag = in_.ReadTag();
      if (tag == 0) return in_.ConsumedEntireMessage();
      if (!field(tag)) return false;
    }
  }
  bool skip(std::uint32_t tag) { return WireFormatLite::SkipField(&in_, tag); }

  template <class Body>
  bool inside(Body body) {
    std::uint32_t size = 0;
    if (!in_.ReadVarint32(&size) || size > std::numeric_limits<int>::max()) return false;
    const auto limit = in_.PushLimit(static_cast<int>(size));
    // At the file's end a message looks whole before its limit is reached.
    const bool whole = body() && in_.BytesUntilLimit() == 0;
    in_.PopLimit(limit);
    return whole;
  }
  // A message small enough to be held.
  template <class Message>
  bool message(Message& to) {
    std::uint32_t size = 0;
    to.Clear();
    if (!in_.ReadVarint32(&size) || size > std::numeric_limits<int>::max()) return false;
    if (size > kLargest) return in_.Skip(static_cast<int>(size));
    const auto limit = in_.PushLimit(static_cast<int>(size));
    const bool whole = to.MergeFromCodedStream(&in_) && in_.BytesUntilLimit() == 0;
    in_.PopLimit(limit);
    return whole;
  }
  bool text(std::string& to) {
    std::uint32_t size = 0;
    // ReadString() grows with what is there, not with what `size` says.
    return in_.ReadVarint32(&size) && size <= kLargest &&
           in_.ReadString(&to, static_cast<int>(size));
  }
  bool number(std::int64_t& to) {
    std::uint64_t value = 0;
    if (!in_.ReadVarint64(&value)) return false;
    to = static_cast<std::int64_t>(value);
    return true;
  }

  bool plane() {
    planes_.begin_plane();
    const bool whole = fields([this](std::uint32_t tag) {
      if (tag == length_delimited(2)) return text(planes_.plane_name());
      if (tag == length_delimited(3)) return inside([this] { return line(); });
      if (tag == length_delimited(4)) {
        if (!message(event_metadata_)) return false;
        planes_.add_event_metadata(event_metadata_);
        return true;
      }
      if (tag == length_delimited(5)) {
        if (!message(stat_metadata_)) return false;
        planes_.add_stat_metadata(stat_metadata_);
        return true;
      }
      if (tag == length_delimited(6)) {
        if (!message(stat_)) return false;
        planes_.add_plane_stat(stat_);
        return true;
      }
      return skip(tag);
    });
    planes_.end_plane();
    return whole;
  }

  bool line() {
    std::int64_t id = 0;
    std::int64_t timestamp_ns = 0;
    std::string name;
    std::string display_name;
    planes_.begin_line();
    const bool whole = fields([&](std::uint32_t tag) {
      if (tag == varint(1)) return number(id);
      if (tag == length_delimited(2)) return text(name);
      if (tag == varint(3)) return number(timestamp_ns);
      if (tag == length_delimited(4)) {
        if (!message(event_)) return false;
        planes_.add_event(event_);
        return true;
      }
      if (tag == length_delimited(11)) return text(display_name);
      return skip(tag);
    });
    planes_.end_line(id, display_name.empty() ? name : display_name, timestamp_ns);
    return whole;
  }

  CodedInputStream& in_;
  XPlanes& planes_;
  xplane::XEvent event_;
  xplane::XEventMetadataEntry event_metadata_;
  xplane::XStatMetadataEntry stat_metadata_;
  xplane::XStat stat_;
};

bool recognises(std::string_view start, std::string_view file_name) {
  if (file_name.ends_with(".xplane.pb") || file_name.ends_with(".xplane.pb.gz")) return true;
  // An XSpace begins with a plane, and that with its id or its name, "/host:…" or "/device:…".
  return start.starts_with('\x0a') && (start.substr(0, 64).find("/host:") != start.npos ||
                                       start.substr(0, 64).find("/device:") != start.npos);
}

absl::StatusOr<Import> read(Input& input) {
  if (input.start().empty()) {
    return base::invalid_argument("{}: empty; expected an XSpace (*.xplane.pb)", input.name());
  }
  InputBytes bytes(input);
  google::protobuf::io::CopyingInputStreamAdaptor stream(&bytes, 256 * 1024);
  XPlanes planes;
  {
    CodedInputStream in(&stream);
    in.SetTotalBytesLimit(std::numeric_limits<int>::max());
    if (!XSpaceWalker(in, planes).space()) {
      TS_RETURN_IF_ERROR(bytes.status());
      return base::invalid_argument(
          "{}: byte {}: no whole XSpace message: cut off, damaged, above 2 GiB or no *.xplane.pb",
          input.name(), in.CurrentPosition());
    }
  }
  TS_RETURN_IF_ERROR(bytes.status());
  if (planes.planes() == 0) {
    return base::invalid_argument("{}: an XSpace without any plane", input.name());
  }
  return planes.finish();
}

}  // namespace

extern const Importer kXPlane;
const Importer kXPlane = {"xplane", "TensorFlow's, XLA's and JAX's profile: *.xplane.pb",
                          recognises, read};

}  // namespace tachostat::trace
