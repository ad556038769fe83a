#include "verify/data/labels.h"

#include <cstring>

#include "base/status.h"
#include "base/utf8.h"
#include "verify/data/convert.h"
#include "verify/values.h"

namespace tachostat::verify {
namespace {

using model::DataType;

constexpr std::uint64_t kMostHeldBytes = std::uint64_t{256} << 20;

// NumPy pads text with zeros at its end.
std::string text_of(NpyKind kind, std::span<const std::byte> item) {
  std::string text;
  if (kind == NpyKind::kBytes) {
    text.assign(reinterpret_cast<const char*>(item.data()), item.size());
    text.resize(text.find_last_not_of('\0') + 1);
    return base::to_utf8(text);
  }
  std::vector<std::uint32_t> codes(item.size() / 4);
  std::memcpy(codes.data(), item.data(), codes.size() * 4);
  while (!codes.empty() && codes.back() == 0) codes.pop_back();
  for (const std::uint32_t code : codes) base::append_code_point(text, code);
  return text;
}

absl::StatusOr<LabelKind> kind_of(const NpyHeader& header, const model::Shape& label_shape) {
  const bool single = model::elements_of(label_shape) == 1;
  if (header.kind != NpyKind::kNumbers) {
    if (single) return LabelKind::kText;
    return base::invalid_argument("expected one text per sample, found texts of shape {}",
                                  model::to_string(label_shape));
  }
  const bool whole = !is_floating(header.type);
  return single && whole ? LabelKind::kClass : LabelKind::kNumbers;
}

}  // namespace

std::string_view name_of(LabelKind kind) {
  switch (kind) {
    case LabelKind::kNone:
      return "no labels";
    case LabelKind::kClass:
      return "classes";
    case LabelKind::kText:
      return "texts";
    case LabelKind::kNumbers:
      return "arrays";
  }
  return "";
}

absl::StatusOr<Label> Labels::at(std::size_t sample) const {
  switch (kind) {
    case LabelKind::kClass:
      return Label(classes[sample]);
    case LabelKind::kText:
      return Label(texts[sample]);
    case LabelKind::kNumbers: {
      TS_ASSIGN_OR_RETURN(Numbers found, numbers(sample));
      return Label(std::move(found));
    }
    case LabelKind::kNone:
      break;
  }
  return base::internal("sample {} has no label", sample);
}

absl::Status LabelVisitor::begin(const NpyHeader& header) {
  header_ = header;
  shape_ = header.shape;
  if (stacked_) {
    if (shape_.empty()) return base::invalid_argument("expected one label per sample, found one");
    samples_ = shape_.front();
    shape_.erase(shape_.begin());
  }
  TS_ASSIGN_OR_RETURN(kind_, kind_of(header, shape_));
  if (kind_ != LabelKind::kNumbers && header.data_bytes > kMostHeldBytes) {
    return base::invalid_argument("it has {} bytes, at most {} are read", header.data_bytes,
                                  kMostHeldBytes);
  }
  if (header.item_bytes == 0) {
    return base::invalid_argument("all of its texts are empty");
  }
  return absl::OkStatus();
}

absl::Status LabelVisitor::data(std::span<const std::byte> elements) {
  hash_.add(elements);
  const std::size_t count = elements.size() / header_.item_bytes;
  if (kind_ == LabelKind::kText) {
    for (std::size_t i = 0; i < count; ++i) {
      texts_.push_back(
          text_of(header_.kind, elements.subspan(i * header_.item_bytes, header_.item_bytes)));
    }
    return absl::OkStatus();
  }
  const DataType to = kind_ == LabelKind::kClass  ? DataType::kI64
                      : is_floating(header_.type) ? DataType::kF64
                                                  : header_.type;
  std::vector<std::int64_t> values(count);
  if (const auto fault =
          convert(header_.type, elements, to, std::as_writable_bytes(std::span(values)))) {
    return base::invalid_argument("a label {}", fault->what);
  }
  if (kind_ == LabelKind::kClass) classes_.insert(classes_.end(), values.begin(), values.end());
  return absl::OkStatus();
}

std::string LabelVisitor::digest() {
  return fmt::format("{} {} {}", header_.type_name(), model::to_string(header_.shape), hash_.hex());
}

Numbers numbers_of(DataType type, model::Shape shape, std::span<const std::byte> elements) {
  const engine::Tensor tensor{.type = type, .shape = shape, .data = elements};
  return {std::move(shape), values_of(tensor).value_or(std::vector<double>())};
}

}  // namespace tachostat::verify
