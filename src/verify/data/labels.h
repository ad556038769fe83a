// What the right answer is, per sample.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "base/hash.h"
#include "model/model.h"
#include "verify/data/array.h"

namespace tachostat::verify {

struct Numbers {
  model::Shape shape;
  std::vector<double> values;
};
using Label = std::variant<std::int64_t, std::string, Numbers>;

enum class LabelKind { kNone, kClass, kText, kNumbers };
std::string_view name_of(LabelKind kind);  // "no labels", "classes", "texts", "arrays"

// Labels of all samples, all of one kind. Classes and texts are held; arrays are read on demand.
struct Labels {
  LabelKind kind = LabelKind::kNone;
  std::vector<std::int64_t> classes = {};
  std::vector<std::string> texts = {};
  std::function<absl::StatusOr<Numbers>(std::size_t sample)> numbers = {};

  absl::StatusOr<Label> at(std::size_t sample) const;  // not of kNone
};

// Reads an array of labels: whole numbers are classes, NumPy's text is text (UTF-8 here), any other
// numbers are arrays. Text has at most 256 MiB.
class LabelVisitor final : public ArrayVisitor {
 public:
  // `stacked`: one label per step of axis 0; else the array is one label.
  explicit LabelVisitor(bool stacked) : stacked_(stacked) {}
  absl::Status begin(const NpyHeader& header) override;
  absl::Status data(std::span<const std::byte> elements) override;

  LabelKind kind() const { return kind_; }
  std::int64_t samples() const { return samples_; }
  const model::Shape& shape() const { return shape_; }  // of one label
  std::vector<std::int64_t> take_classes() { return std::move(classes_); }
  std::vector<std::string> take_texts() { return std::move(texts_); }
  // The content, for the data's hash. Call once.
  std::string digest();

 private:
  bool stacked_;
  NpyHeader header_;
  LabelKind kind_ = LabelKind::kNone;
  std::int64_t samples_ = 1;
  model::Shape shape_;
  std::vector<std::int64_t> classes_;
  std::vector<std::string> texts_;
  base::Sha256 hash_;
};

// Elements of a numeric array as one label. `type` is a type that NpyHeader has.
Numbers numbers_of(model::DataType type, model::Shape shape, std::span<const std::byte> elements);

// A text file beside the samples: a line "file,label" per sample in any order (the file's name with
// or without its ending; a first line that names the columns is skipped; a label may stand in
// double quotes), or one label per line in the order of `files`. Whole numbers in every line make
// classes, anything else is text. InvalidArgument names what is missing, unknown or twice.
absl::StatusOr<Labels> parse_label_lines(std::string_view text,
                                         const std::vector<std::string>& files);

}  // namespace tachostat::verify
