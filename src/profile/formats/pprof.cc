#include <zlib.h>

#include <algorithm>
#include <limits>
#include <ostream>
#include <unordered_map>

#include "base/status.h"
#include "base/utf8.h"
#include "pprof.pb.h"
#include "profile/formats/formats.h"
#include "profile/formats/stacks.h"
#include "trace/stacks.h"

namespace tachostat::profile {
namespace {

using trace::Stacks;

absl::StatusOr<std::string> gzip(std::string_view bytes) {
  if (bytes.size() > std::numeric_limits<uInt>::max() / 2) {
    return absl::ResourceExhaustedError("pprof: the profile is larger than 2 GiB");
  }
  z_stream stream{};
  constexpr int kGzip = 16;  // zlib's mark for gzip's frame
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzip + MAX_WBITS, 8,
                   Z_DEFAULT_STRATEGY) != Z_OK) {
    return base::internal("pprof: zlib refuses to start");
  }
  std::string packed(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  const int result = deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  if (result != Z_STREAM_END) return base::internal("pprof: zlib fails with {}", result);
  return packed;
}

std::int64_t clamped(std::uint64_t value) {
  return static_cast<std::int64_t>(
      std::min<std::uint64_t>(value, std::numeric_limits<std::int64_t>::max()));
}

class PprofBuilder {
 public:
  PprofBuilder(const ExportInput& input, bool first_frame_is_thread)
      : input_(input), first_frame_is_thread_(first_frame_is_thread) {
    string("");
    for (const LayerProfile& layer : input.profile.layers) layers_.emplace(layer.name, &layer);
  }

  pprof::Profile build(const Stacks& stacks) {
    add_type("samples", "count");
    add_type("time", "nanoseconds");
    profile_.set_default_sample_type(string("time"));
    profile_.mutable_period_type()->set_type(string("time"));
    profile_.mutable_period_type()->set_unit(string("nanoseconds"));
    profile_.set_period(1);
    profile_.add_comment(string("model " + input_.profile.model + " as " + input_.profile.variant));
    if (!input_.profile.bucket.empty()) {
      profile_.add_comment(string("requests of " + input_.profile.bucket));
    }
    profile_.set_time_nanos(clamped(input_.begin_unix_ns));
    if (input_.end_unix_ns > input_.begin_unix_ns) {
      profile_.set_duration_nanos(clamped(input_.end_unix_ns - input_.begin_unix_ns));
    }
    add_frames(stacks);
    for (std::uint32_t i = 0; i < stacks.stacks.size(); ++i) add_sample(stacks, i);
    return std::move(profile_);
  }

 private:
  std::int64_t string(std::string_view text) {
    const auto [found, added] =
        strings_.emplace(base::to_utf8(text), static_cast<std::int64_t>(strings_.size()));
    if (added) profile_.add_string_table(found->first);
    return found->second;
  }

  void add_type(std::string_view type, std::string_view unit) {
    pprof::ValueType& to = *profile_.add_sample_type();
    to.set_type(string(type));
    to.set_unit(string(unit));
  }

  // A frame's function and location are numbered by its index from 1.
  void add_frames(const Stacks& stacks) {
    for (std::size_t i = 0; i < stacks.frames.size(); ++i) {
      pprof::Function& function = *profile_.add_function();
      function.set_id(i + 1);
      function.set_name(string(stacks.frames[i]));
      function.set_system_name(function.name());
      pprof::Location& location = *profile_.add_location();
      location.set_id(i + 1);
      location.add_line()->set_function_id(i + 1);
      const auto layer = layers_.find(stacks.frames[i]);
      frame_layers_.push_back(layer == layers_.end() ? nullptr : layer->second);
    }
  }

  void add_label(pprof::Sample& sample, std::string_view key, std::string_view value) {
    if (value.empty()) return;
    pprof::Label& label = *sample.add_label();
    label.set_key(string(key));
    label.set_str(string(value));
  }

  void add_sample(const Stacks& stacks, std::uint32_t index) {
    const Stacks::Stack& stack = stacks.stacks[index];
    if (stack.self_ns == 0 && stack.count == 0) return;
    pprof::Sample& sample = *profile_.add_sample();
    const LayerProfile* layer = nullptr;
    std::uint32_t at = index;
    for (; at != Stacks::kNone; at = stacks.stacks[at].parent) {
      const bool outermost = stacks.stacks[at].parent == Stacks::kNone;
      if (outermost && first_frame_is_thread_) break;
      const std::uint32_t frame = stacks.stacks[at].frame;
      sample.add_location_id(frame + 1u);
      if (frame_layers_[frame] != nullptr) layer = frame_layers_[frame];
    }
    sample.add_value(clamped(stack.count));
    sample.add_value(clamped(stack.self_ns));
    if (at != Stacks::kNone) add_label(sample, "thread", stacks.frames[stacks.stacks[at].frame]);
    if (layer == nullptr) return;
    add_label(sample, "layer", layer->name);
    add_label(sample, "type", layer->type);
    add_label(sample, "kernel", layer->kernel);
    add_label(sample, "precision", layer->precision);
  }

  const ExportInput& input_;
  const bool first_frame_is_thread_;
  pprof::Profile profile_;
  std::unordered_map<std::string, std::int64_t> strings_;
  std::unordered_map<std::string_view, const LayerProfile*> layers_;
  std::vector<const LayerProfile*> frame_layers_;
};

}  // namespace

absl::Status write_pprof(const ExportInput& input, std::ostream& out) {
  const bool timeline = !input.trace.spans.empty();
  const Stacks stacks = timeline ? trace::fold(input.trace) : stacks_of(input.profile);
  TS_ASSIGN_OR_RETURN(const std::string packed,
                      gzip(PprofBuilder(input, timeline).build(stacks).SerializeAsString()));
  out << packed;
  return absl::OkStatus();
}

}  // namespace tachostat::profile
