#include <algorithm>
#include <cstring>
#include <openvino/op/constant.hpp>

#include "base/status.h"
#include "engine/openvino/passes/channels.h"
#include "engine/openvino/passes/passes.h"
#include "engine/openvino/passes/weights.h"

namespace tachostat::engine {
namespace {

using ov::op::v0::Constant;
using Places = std::vector<std::size_t>;

void put(ov::Input<ov::Node> input, const std::shared_ptr<Constant>& constant,
         const std::string& name) {
  constant->set_friendly_name(name);
  input.replace_source_output(constant->output(0));
}

// A tensor as rows of channels: element (outer, channel, inner).
struct Rows {
  Rows(const ov::Shape& shape, std::size_t axis) : channels(shape[axis]) {
    for (std::size_t i = 0; i < axis; ++i) outer *= shape[i];
    for (std::size_t i = axis + 1; i < shape.size(); ++i) inner *= shape[i];
  }
  std::size_t at(std::size_t row, std::size_t channel) const {
    return (row * channels + channel) * inner;
  }
  std::size_t outer = 1, channels, inner = 1;
};

absl::Status keep_only(const ov::Input<ov::Node>& input, std::size_t axis, const Places& kept) {
  TS_ASSIGN_OR_RETURN(const std::shared_ptr<Constant> all, weights_of(input));
  const ov::element::Type type = all->get_element_type();
  if (type.bitwidth() % 8 != 0) {
    return base::invalid_argument("constants of type {} cannot be pruned", type.get_type_name());
  }
  const Rows rows(all->get_shape(), axis);
  const std::size_t bytes = rows.inner * type.size();
  const auto* const from = static_cast<const std::byte*>(all->get_data_ptr());
  std::vector<std::byte> values;
  values.reserve(rows.outer * kept.size() * bytes);
  for (std::size_t row = 0; row < rows.outer; ++row) {
    for (const std::size_t channel : kept) {
      const std::byte* const begin = from + rows.at(row, channel) * type.size();
      values.insert(values.end(), begin, begin + bytes);
    }
  }
  ov::Shape shape = all->get_shape();
  shape[axis] = kept.size();
  put(input, std::make_shared<Constant>(type, shape, values.data()), all->get_friendly_name());
  return absl::OkStatus();
}

absl::Status resize(const Channels::Size& size, std::size_t count) {
  TS_ASSIGN_OR_RETURN(const std::shared_ptr<Constant> shape, weights_of(size.input));
  std::vector<std::int64_t> sizes = shape->cast_vector<std::int64_t>();
  sizes[size.place] = static_cast<std::int64_t>(count);
  put(size.input, Constant::create(shape->get_element_type(), shape->get_shape(), sizes),
      shape->get_friendly_name());
  return absl::OkStatus();
}

// Numbers for the product's bias, one for each channel that it computes.
absl::StatusOr<std::vector<float>> let_stand_in(const Channels::Reader& reader,
                                                const std::vector<int>& dropped,
                                                const model::Prune::Reader& by) {
  TS_ASSIGN_OR_RETURN(const std::shared_ptr<Constant> weights, weights_of(reader.weights));
  std::vector<float> values = weights->cast_vector<float>();
  const ov::Shape& shape = weights->get_shape();
  const Rows rows(shape, reader.axis);
  const Digits outputs(shape, output_axes(*reader.weights.get_node(), shape.size()));
  std::vector<float> offsets(outputs.count(), 0.0F);
  for (std::size_t i = 0; i < dropped.size(); ++i) {
    const auto from = static_cast<std::size_t>(dropped[i]);
    const auto to = static_cast<std::size_t>(by.by[i]);
    for (std::size_t row = 0; row < rows.outer; ++row) {
      for (std::size_t inner = 0; inner < rows.inner; ++inner) {
        const std::size_t place = rows.at(row, from) + inner;
        values[rows.at(row, to) + inner] += by.factor[i] * values[place];
        offsets[outputs.of(place)] += by.offset[i] * values[place];
      }
    }
  }
  put(reader.weights, Constant::create(weights->get_element_type(), shape, values),
      weights->get_friendly_name());
  return offsets;
}

absl::StatusOr<Places> kept_of(const model::Prune::Group& group, std::size_t count) {
  Places kept;
  auto next = group.dropped.begin();
  for (std::size_t channel = 0; channel < count; ++channel) {
    if (next != group.dropped.end() && static_cast<std::size_t>(*next) == channel) {
      ++next;
    } else {
      kept.push_back(channel);
    }
  }
  if (next != group.dropped.end() || kept.empty()) {
    return base::invalid_argument("layer '{}' has {} channels, of which {} cannot be dropped",
                                  group.name, count,
                                  kept.empty() ? "all" : fmt::format("number {}", *next));
  }
  for (const model::Prune::Reader& reader : group.readers) {
    for (const int by : reader.by) {
      if (std::binary_search(kept.begin(), kept.end(), static_cast<std::size_t>(by))) continue;
      return base::invalid_argument(
          "channel {} of layer '{}' is to stand in for another and does not stay", by, group.name);
    }
  }
  return kept;
}

absl::StatusOr<const model::Prune::Reader*> reader_at(const model::Prune::Group& group,
                                                      const ov::Input<ov::Node>& data) {
  const model::Edge edge{data.get_node()->get_friendly_name(), static_cast<int>(data.get_index())};
  for (const model::Prune::Reader& reader : group.readers) {
    if (reader.edge == edge) return &reader;
  }
  return base::invalid_argument("input {} of layer '{}' reads the channels of '{}' and is not told",
                                edge.input, edge.layer, group.name);
}

absl::Status prune_group(Network& network, const model::Prune::Group& group) {
  TS_ASSIGN_OR_RETURN(const std::shared_ptr<ov::Node> product, network.layer(group.name));
  const std::optional<Channels> channels = channels_of(product);
  if (!channels) {
    return base::not_found("no channels of layer '{}' can be left out", group.name);
  }
  TS_ASSIGN_OR_RETURN(const Places kept, kept_of(group, channels->count));
  std::vector<std::pair<std::string, std::vector<float>>> shifts;
  for (const Channels::Constant& constant : channels->constants) {
    TS_RETURN_IF_ERROR(keep_only(constant.input, constant.axis, kept));
  }
  for (const Channels::Size& size : channels->sizes) TS_RETURN_IF_ERROR(resize(size, kept.size()));
  for (const Channels::Reader& reader : channels->readers) {
    TS_ASSIGN_OR_RETURN(const model::Prune::Reader* const by, reader_at(group, reader.data));
    TS_ASSIGN_OR_RETURN(std::vector<float> offsets, let_stand_in(reader, group.dropped, *by));
    TS_RETURN_IF_ERROR(keep_only(reader.weights, reader.axis, kept));
    shifts.emplace_back(by->edge.layer, std::move(offsets));
  }
  network.model().validate_nodes_and_infer_types();
  for (const auto& [layer, by] : shifts) {
    const bool none = std::all_of(by.begin(), by.end(), [](float one) { return one == 0; });
    if (!none) TS_RETURN_IF_ERROR(shift_layer(network, layer, by, "/prune"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status prune(Network& network, std::string_view arguments) {
  TS_ASSIGN_OR_RETURN(const model::Prune prune, model::prune_from(arguments));
  for (const model::Prune::Group& group : prune.groups) {
    TS_RETURN_IF_ERROR(prune_group(network, group));
  }
  network.model().validate_nodes_and_infer_types();
  return absl::OkStatus();
}

}  // namespace tachostat::engine
