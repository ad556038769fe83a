// A folder with a file per sample, and their labels beside them or inside.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>

#include "base/status.h"
#include "verify/data/convert.h"
#include "verify/data/members.h"
#include "verify/data/source.h"

namespace tachostat::verify {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kMostLabelText = std::uintmax_t{64} << 20;

// Takes an array into memory, in the model's type. The array was checked when the folder was
// opened; it must still be the same.
class Loader final : public ArrayVisitor {
 public:
  Loader(model::DataType to, std::uint64_t elements) : to_(to), elements_(elements) {}

  absl::Status begin(const NpyHeader& header) override {
    const bool same = header.kind == NpyKind::kNumbers && header.elements == elements_ &&
                      can_convert(header.type, to_);
    if (!same) return base::failed_precondition("it has changed since it was opened");
    header_ = header;
    return absl::OkStatus();
  }
  absl::Status data(std::span<const std::byte> elements) override {
    const std::size_t had = bytes_.size();
    const std::size_t count = elements.size() / header_.item_bytes;
    bytes_.resize(had + count * static_cast<std::size_t>(model::bits_of(to_) / 8));
    if (const auto fault = convert(header_.type, elements, to_, std::span(bytes_).subspan(had))) {
      return base::invalid_argument("an element {}", fault->what);
    }
    return absl::OkStatus();
  }
  std::vector<std::byte> take() { return std::move(bytes_); }

 private:
  model::DataType to_;
  std::uint64_t elements_;
  NpyHeader header_;
  std::vector<std::byte> bytes_;
};

struct SampleFile {
  std::string name;
  std::vector<model::Shape> shapes;  // per input
};

class Folder final : public Source {
 public:
  Folder(fs::path path, model::Graph graph, std::vector<SampleFile> samples)
      : path_(std::move(path)), graph_(std::move(graph)), samples_(std::move(samples)) {}

  std::size_t size() const override { return samples_.size(); }
  const model::Shape& shape(std::size_t sample, std::size_t input) const override {
    return samples_[sample].shapes[input];
  }
  absl::StatusOr<std::vector<std::vector<std::byte>>> read(std::size_t sample) const override;

 private:
  Loader loader(std::size_t sample, std::size_t input) const {
    return {graph_.inputs[input].type,
            static_cast<std::uint64_t>(model::elements_of(shape(sample, input)))};
  }

  fs::path path_;
  model::Graph graph_;  // without its layers
  std::vector<SampleFile> samples_;
};

absl::StatusOr<std::vector<std::vector<std::byte>>> Folder::read(std::size_t sample) const {
  const std::string file = path_ / samples_[sample].name;
  std::vector<std::vector<std::byte>> inputs;
  if (file.ends_with(".npy")) {
    Loader one = loader(sample, 0);
    TS_RETURN_IF_ERROR(base::with_context(visit_npy(file, one), file));
    inputs.push_back(one.take());
    return inputs;
  }
  TS_ASSIGN_OR_RETURN(const std::shared_ptr<const ZipFile> archive, ZipFile::open(file));
  const auto members = match_members(*archive, graph_);
  TS_RETURN_IF_ERROR(base::with_context(members.status(), file));
  for (std::size_t i = 0; i < graph_.inputs.size(); ++i) {
    Loader one = loader(sample, i);
    TS_RETURN_IF_ERROR(base::with_context(visit_member(*archive, members->inputs[i], one), file));
    inputs.push_back(one.take());
  }
  return inputs;
}

// The label inside one sample's file. Kept small: arrays are read again when asked for.
struct OneLabel {
  LabelKind kind = LabelKind::kNone;
  std::int64_t class_number = 0;
  std::string text = {};
};

class FolderOpening {
 public:
  FolderOpening(const std::string& path, const model::Graph& graph) : path_(path) {
    graph_.inputs = graph.inputs;
  }
  absl::Status list_files();
  absl::Status read_samples();
  absl::StatusOr<Opened> finish() &&;

 private:
  absl::Status read_sample(const std::string& name);
  absl::Status read_archive(const std::string& file, SampleFile& sample);
  absl::Status read_label(const ZipFile& archive, const ZipFile::Member& member);
  absl::StatusOr<Labels> labels_inside() const;
  absl::StatusOr<Labels> labels_beside() const;

  fs::path path_;
  model::Graph graph_ = {};
  std::vector<std::string> files_ = {};
  std::optional<std::string> label_file_ = {};
  std::vector<SampleFile> samples_ = {};
  std::vector<OneLabel> labels_ = {};
  std::string contents_ = "folder\n";
};

absl::Status FolderOpening::list_files() {
  std::error_code error;
  std::string picture;
  for (fs::directory_iterator entry(path_, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename();
    if (name.starts_with('.') || !entry->is_regular_file(error)) continue;
    if (name == "labels.txt" || name == "labels.csv") {
      if (label_file_) {
        return base::invalid_argument("it has both labels.txt and labels.csv: keep one");
      }
      label_file_ = name;
    } else if (name.ends_with(".npz") || name.ends_with(".npy")) {
      files_.push_back(name);
    } else if (is_picture(name)) {
      picture = picture.empty() ? name : std::min(picture, name);
    }
  }
  if (error) return base::unavailable("cannot list it: {}", error.message());
  std::sort(files_.begin(), files_.end());
  if (!files_.empty()) return absl::OkStatus();
  if (!picture.empty()) return pictures_refused(path_ / picture, graph_);
  return base::invalid_argument("it has no samples: expected files .npz or .npy");
}

absl::Status FolderOpening::read_samples() {
  for (const std::string& name : files_) {
    TS_RETURN_IF_ERROR(base::with_context(read_sample(name), name));
  }
  return absl::OkStatus();
}

absl::Status FolderOpening::read_sample(const std::string& name) {
  SampleFile sample{.name = name, .shapes = {}};
  labels_.emplace_back();
  contents_ += fmt::format("{}\n", name);
  const std::string file = path_ / name;
  if (name.ends_with(".npz")) {
    TS_RETURN_IF_ERROR(read_archive(file, sample));
  } else if (graph_.inputs.size() == 1) {
    InputVisitor visitor(graph_.inputs[0], false);
    TS_RETURN_IF_ERROR(visit_npy(file, visitor));
    sample.shapes.push_back(visitor.shape());
    contents_ += visitor.digest() + "\n";
  } else {
    return base::invalid_argument("the model has {} inputs: expected an .npz with an array each",
                                  graph_.inputs.size());
  }
  samples_.push_back(std::move(sample));
  return absl::OkStatus();
}

absl::Status FolderOpening::read_archive(const std::string& file, SampleFile& sample) {
  TS_ASSIGN_OR_RETURN(const std::shared_ptr<const ZipFile> archive, ZipFile::open(file));
  TS_ASSIGN_OR_RETURN(const Members members, match_members(*archive, graph_));
  for (std::size_t i = 0; i < graph_.inputs.size(); ++i) {
    const model::Port& port = graph_.inputs[i];
    InputVisitor visitor(port, false);
    TS_RETURN_IF_ERROR(base::with_context(visit_member(*archive, members.inputs[i], visitor),
                                          fmt::format("'{}'", port.name)));
    sample.shapes.push_back(visitor.shape());
    contents_ += fmt::format("{}: {}\n", port.name, visitor.digest());
  }
  if (!members.labels) return absl::OkStatus();
  return base::with_context(read_label(*archive, *members.labels), "'label'");
}

absl::Status FolderOpening::read_label(const ZipFile& archive, const ZipFile::Member& member) {
  LabelVisitor visitor(false);
  TS_RETURN_IF_ERROR(visit_member(archive, member, visitor));
  OneLabel& label = labels_.back();
  label.kind = visitor.kind();
  if (label.kind == LabelKind::kClass) label.class_number = visitor.take_classes().at(0);
  if (label.kind == LabelKind::kText) label.text = visitor.take_texts().at(0);
  contents_ += fmt::format("label: {}\n", visitor.digest());
  return absl::OkStatus();
}

// Reads the label array of one file again.
absl::StatusOr<Numbers> read_numbers(const std::string& file, const model::Graph& graph) {
  class Keeper final : public ArrayVisitor {
   public:
    absl::Status begin(const NpyHeader& found) override {
      header = found;
      if (found.kind == NpyKind::kNumbers && found.data_bytes <= kMostSampleBytes) {
        return absl::OkStatus();
      }
      return base::invalid_argument("expected a label of numbers, at most {} bytes",
                                    kMostSampleBytes);
    }
    absl::Status data(std::span<const std::byte> elements) override {
      bytes.insert(bytes.end(), elements.begin(), elements.end());
      return absl::OkStatus();
    }
    NpyHeader header;
    std::vector<std::byte> bytes;
  };
  TS_ASSIGN_OR_RETURN(const std::shared_ptr<const ZipFile> archive, ZipFile::open(file));
  TS_ASSIGN_OR_RETURN(const Members members, match_members(*archive, graph));
  if (!members.labels) return base::failed_precondition("its label has gone");
  Keeper keeper;
  TS_RETURN_IF_ERROR(visit_member(*archive, *members.labels, keeper));
  return numbers_of(keeper.header.type, keeper.header.shape, keeper.bytes);
}

absl::StatusOr<Labels> FolderOpening::labels_inside() const {
  Labels labels{.kind = labels_[0].kind};
  for (std::size_t i = 0; i < labels_.size(); ++i) {
    if (labels_[i].kind != labels.kind) {
      return base::invalid_argument("labels differ in kind: '{}' has {}, '{}' has {}", files_[0],
                                    name_of(labels.kind), files_[i], name_of(labels_[i].kind));
    }
    if (labels.kind == LabelKind::kClass) labels.classes.push_back(labels_[i].class_number);
    if (labels.kind == LabelKind::kText) labels.texts.push_back(labels_[i].text);
  }
  if (labels.kind != LabelKind::kNumbers) return labels;
  labels.numbers = [path = path_, files = files_, graph = graph_](std::size_t i) {
    const std::string file = path / files[i];
    auto numbers = read_numbers(file, graph);
    if (!numbers.ok()) numbers = base::with_context(numbers.status(), file);
    return numbers;
  };
  return labels;
}

absl::StatusOr<Labels> FolderOpening::labels_beside() const {
  const auto any = std::find_if(labels_.begin(), labels_.end(), [](const OneLabel& label) {
    return label.kind != LabelKind::kNone;
  });
  if (any != labels_.end()) {
    return base::invalid_argument("labels stand both in this file and in the samples: keep one");
  }
  const fs::path file = path_ / *label_file_;
  std::error_code error;
  if (const auto bytes = fs::file_size(file, error); error || bytes > kMostLabelText) {
    return base::invalid_argument("expected at most {} bytes", kMostLabelText);
  }
  std::ifstream stream(file, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(stream)), {});
  if (!stream) return base::unavailable("cannot read it");
  return parse_label_lines(text, files_);
}

absl::StatusOr<Opened> FolderOpening::finish() && {
  Labels labels;
  if (label_file_) {
    auto read = labels_beside();
    TS_RETURN_IF_ERROR(base::with_context(read.status(), *label_file_));
    labels = *std::move(read);
    for (const std::int64_t label : labels.classes) contents_ += fmt::format("{}\n", label);
    for (const std::string& label : labels.texts) contents_ += fmt::format("'{}'\n", label);
  } else {
    TS_ASSIGN_OR_RETURN(labels, labels_inside());
  }
  return Opened{std::make_unique<Folder>(path_, std::move(graph_), std::move(samples_)),
                std::move(labels), base::sha256(contents_)};
}

}  // namespace

absl::StatusOr<Opened> open_folder(const std::string& path, const model::Graph& graph) {
  FolderOpening opening(path, graph);
  TS_RETURN_IF_ERROR(base::with_context(opening.list_files(), path));
  TS_RETURN_IF_ERROR(base::with_context(opening.read_samples(), path));
  auto opened = std::move(opening).finish();
  TS_RETURN_IF_ERROR(base::with_context(opened.status(), path));
  return opened;
}

}  // namespace tachostat::verify
