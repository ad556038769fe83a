// One file that stacks samples along axis 0.
#include <optional>

#include "base/status.h"
#include "verify/data/convert.h"
#include "verify/data/members.h"
#include "verify/data/source.h"

namespace tachostat::verify {
namespace {

struct Column {
  model::Port port;
  model::Shape shape;   // of one sample
  bool shared = false;  // one array, the same for every sample
  std::unique_ptr<const Array> array;

  absl::StatusOr<std::vector<std::byte>> read(std::size_t sample) const;
};

absl::StatusOr<std::vector<std::byte>> Column::read(std::size_t sample) const {
  const NpyHeader& header = array->header();
  const auto elements = static_cast<std::uint64_t>(model::elements_of(shape));
  std::vector<std::byte> raw(elements * header.item_bytes);
  TS_RETURN_IF_ERROR(array->read(shared ? 0 : sample * raw.size(), raw));
  if (header.type == port.type) return raw;
  std::vector<std::byte> converted(elements *
                                   static_cast<std::uint64_t>(model::bits_of(port.type) / 8));
  if (const auto fault = convert(header.type, raw, port.type, converted)) {
    return base::invalid_argument("element {} of sample {} {}", fault->element, sample,
                                  fault->what);
  }
  return converted;
}

class Stack final : public Source {
 public:
  Stack(std::vector<Column> columns, std::size_t size)
      : columns_(std::move(columns)), size_(size) {}

  std::size_t size() const override { return size_; }
  const model::Shape& shape(std::size_t, std::size_t input) const override {
    return columns_[input].shape;
  }
  absl::StatusOr<std::vector<std::vector<std::byte>>> read(std::size_t sample) const override {
    std::vector<std::vector<std::byte>> inputs;
    for (const Column& column : columns_) {
      TS_ASSIGN_OR_RETURN(inputs.emplace_back(), column.read(sample));
    }
    return inputs;
  }

 private:
  std::vector<Column> columns_;
  std::size_t size_;
};

// Columns as they are opened, and what must be the same of all.
struct Opening {
  std::vector<Column> columns = {};
  std::optional<std::int64_t> samples = {};
  std::string first = {};  // the input that said how many samples there are
  std::string contents = {};

  absl::Status add(const model::Port& port, InputVisitor& visitor,
                   std::unique_ptr<const Array> array) {
    const bool shared = visitor.samples() == 0;
    if (!shared && samples && *samples != visitor.samples()) {
      return base::invalid_argument("'{}' has {} samples, '{}' has {}: expected as many", first,
                                    *samples, port.name, visitor.samples());
    }
    if (!shared && !samples) {
      samples = visitor.samples();
      first = port.name;
    }
    contents += fmt::format("{}: {}\n", port.name, visitor.digest());
    columns.push_back({port, visitor.shape(), shared, std::move(array)});
    return absl::OkStatus();
  }
};

absl::StatusOr<Labels> read_labels(const std::shared_ptr<const ZipFile>& archive,
                                   const ZipFile::Member& member, std::int64_t samples,
                                   std::string& contents) {
  LabelVisitor visitor(true);
  TS_ASSIGN_OR_RETURN(std::shared_ptr<const Array> array, open_member(archive, member, visitor));
  if (visitor.samples() != samples) {
    return base::invalid_argument("expected {} labels, one per sample, found {}", samples,
                                  visitor.samples());
  }
  contents += fmt::format("labels: {}\n", visitor.digest());
  Labels labels{
      .kind = visitor.kind(), .classes = visitor.take_classes(), .texts = visitor.take_texts()};
  if (labels.kind != LabelKind::kNumbers) return labels;
  labels.numbers = [array, shape = visitor.shape()](std::size_t i) -> absl::StatusOr<Numbers> {
    const NpyHeader& header = array->header();
    std::vector<std::byte> raw(static_cast<std::uint64_t>(model::elements_of(shape)) *
                               header.item_bytes);
    TS_RETURN_IF_ERROR(array->read(i * raw.size(), raw));
    return numbers_of(header.type, shape, raw);
  };
  return labels;
}

absl::StatusOr<Opened> finish(Opening opening, Labels labels) {
  if (!opening.samples) {
    return base::invalid_argument("no input is stacked: expected samples along axis 0");
  }
  const auto size = static_cast<std::size_t>(*opening.samples);
  return Opened{std::make_unique<Stack>(std::move(opening.columns), size), std::move(labels),
                base::sha256("stack\n" + opening.contents)};
}

}  // namespace

absl::StatusOr<Opened> open_npz_stack(const std::string& path, const model::Graph& graph) {
  TS_ASSIGN_OR_RETURN(const std::shared_ptr<const ZipFile> archive, ZipFile::open(path));
  const auto in_file = [&](const absl::Status& status, std::string_view member) {
    return base::with_context(status,
                              member.empty() ? path : fmt::format("{}: '{}'", path, member));
  };
  auto members = match_members(*archive, graph);
  TS_RETURN_IF_ERROR(in_file(members.status(), ""));
  Opening opening;
  for (std::size_t i = 0; i < graph.inputs.size(); ++i) {
    InputVisitor visitor(graph.inputs[i], true);
    auto array = open_member(archive, members->inputs[i], visitor);
    TS_RETURN_IF_ERROR(in_file(array.status(), graph.inputs[i].name));
    TS_RETURN_IF_ERROR(in_file(opening.add(graph.inputs[i], visitor, *std::move(array)), ""));
  }
  Labels labels;
  if (members->labels && opening.samples) {
    auto read = read_labels(archive, *members->labels, *opening.samples, opening.contents);
    TS_RETURN_IF_ERROR(in_file(read.status(), "labels"));
    labels = *std::move(read);
  }
  auto opened = finish(std::move(opening), std::move(labels));
  TS_RETURN_IF_ERROR(in_file(opened.status(), ""));
  return opened;
}

absl::StatusOr<Opened> open_npy_stack(const std::string& path, const model::Graph& graph) {
  if (graph.inputs.size() != 1) {
    return base::invalid_argument(
        "{}: the model has {} inputs: expected an .npz with an array for each", path,
        graph.inputs.size());
  }
  InputVisitor visitor(graph.inputs[0], true);
  auto array = open_npy(path, visitor);
  TS_RETURN_IF_ERROR(base::with_context(array.status(), path));
  Opening opening;
  TS_RETURN_IF_ERROR(opening.add(graph.inputs[0], visitor, *std::move(array)));
  auto opened = finish(std::move(opening), {});
  TS_RETURN_IF_ERROR(base::with_context(opened.status(), path));
  return opened;
}

}  // namespace tachostat::verify
