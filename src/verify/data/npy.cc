#include "verify/data/npy.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "base/status.h"

namespace tachostat::verify {
namespace {

using model::DataType;

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kMostAxes = 64;  // NumPy's own limit
constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 62;

// The header is a Python dictionary, written as text.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  bool take(char wanted) {
    skip_spaces();
    if (text_.empty() || text_.front() != wanted) return false;
    text_.remove_prefix(1);
    return true;
  }
  std::optional<std::string_view> quoted() {
    skip_spaces();
    if (text_.empty() || (text_.front() != '\'' && text_.front() != '"')) return std::nullopt;
    const std::size_t end = text_.find(text_.front(), 1);
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view inside = text_.substr(1, end - 1);
    text_.remove_prefix(end + 1);
    return inside;
  }
  std::optional<bool> truth() {
    skip_spaces();
    for (const auto& [word, value] : {std::pair("True", true), std::pair("False", false)}) {
      if (!text_.starts_with(word)) continue;
      text_.remove_prefix(std::string_view(word).size());
      return value;
    }
    return std::nullopt;
  }
  std::optional<std::int64_t> number() {
    skip_spaces();
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
    if (error != std::errc() || value < 0) return std::nullopt;
    text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
    if (text_.starts_with("L")) text_.remove_prefix(1);  // Python 2 wrote longs so
    return value;
  }

 private:
  void skip_spaces() {
    const std::size_t start = text_.find_first_not_of(" \t\n\r");
    text_.remove_prefix(std::min(start, text_.size()));
  }

  std::string_view text_;
};

absl::Status broken(std::string_view what) {
  return base::invalid_argument("its .npy header is broken ({}): save it again with NumPy", what);
}

using NamedType = std::pair<std::string_view, DataType>;
constexpr std::array<NamedType, 12> kTypes = {{{"|b1", DataType::kBool},
                                               {"|i1", DataType::kI8},
                                               {"<i2", DataType::kI16},
                                               {"<i4", DataType::kI32},
                                               {"<i8", DataType::kI64},
                                               {"|u1", DataType::kU8},
                                               {"<u2", DataType::kU16},
                                               {"<u4", DataType::kU32},
                                               {"<u8", DataType::kU64},
                                               {"<f2", DataType::kF16},
                                               {"<f4", DataType::kF32},
                                               {"<f8", DataType::kF64}}};

std::optional<DataType> number_type(char code, std::uint64_t bytes) {
  for (const auto& [name, type] : kTypes) {
    if (name[1] == code && static_cast<std::uint64_t>(name[2] - '0') == bytes) return type;
  }
  return std::nullopt;
}

absl::Status parse_type(std::string_view descr, NpyHeader& header) {
  if (descr.starts_with("|O")) {
    return base::invalid_argument(
        "it holds Python objects (pickle), which are not read: make an array of numbers or of "
        "text, e.g. np.asarray(x, dtype=np.float32)");
  }
  const auto unknown = [&] {
    return base::invalid_argument(
        "its element type '{}' is not read here: save it as e.g. x.astype(np.float32)", descr);
  };
  if (descr.size() < 3) return unknown();
  const char order = descr[0];
  const char code = descr[1];
  std::uint64_t size = 0;
  const auto [end, error] = std::from_chars(descr.data() + 2, descr.data() + descr.size(), size);
  if (error != std::errc() || end != descr.data() + descr.size()) return unknown();
  if (size > (std::uint64_t{1} << 32) || (order != '<' && order != '>' && order != '|')) {
    return unknown();
  }
  if (order == '>') {
    return base::invalid_argument(
        "its numbers are big-endian ('{}'): save it as x.astype(x.dtype.newbyteorder('<'))", descr);
  }
  if (code == 'U' || code == 'S') {
    header.kind = code == 'U' ? NpyKind::kUnicode : NpyKind::kBytes;
    header.item_bytes = code == 'U' ? size * 4 : size;
    return absl::OkStatus();
  }
  const std::optional<DataType> type = number_type(code, size);
  if (!type) return unknown();
  header.type = *type;
  header.item_bytes = size;
  return absl::OkStatus();
}

absl::Status parse_shape(Scanner& scanner, NpyHeader& header) {
  if (!scanner.take('(')) return broken("no shape");
  while (!scanner.take(')')) {
    const std::optional<std::int64_t> dimension = scanner.number();
    if (!dimension || header.shape.size() == kMostAxes) return broken("its shape");
    header.shape.push_back(*dimension);
    if (scanner.take(',')) continue;
    if (!scanner.take(')')) return broken("its shape");
    break;
  }
  header.elements = 1;
  for (const std::int64_t dimension : header.shape) {
    if (__builtin_mul_overflow(header.elements, static_cast<std::uint64_t>(dimension),
                               &header.elements)) {
      return broken("its shape " + model::to_string(header.shape) + " is too large");
    }
  }
  return absl::OkStatus();
}

absl::Status parse_dictionary(Scanner scanner, NpyHeader& header) {
  std::optional<std::string_view> descr;
  std::optional<bool> fortran;
  bool shaped = false;
  if (!scanner.take('{')) return broken("no dictionary");
  while (!scanner.take('}')) {
    const std::optional<std::string_view> key = scanner.quoted();
    if (!key || !scanner.take(':')) return broken("no key");
    if (*key == "descr" && !descr) {
      descr = scanner.quoted();
      if (!descr) {
        return base::invalid_argument(
            "its elements are structures, which are not read: save each field as an array of its "
            "own");
      }
    } else if (*key == "fortran_order" && !fortran) {
      fortran = scanner.truth();
      if (!fortran) return broken("fortran_order");
    } else if (*key == "shape" && !shaped) {
      TS_RETURN_IF_ERROR(parse_shape(scanner, header));
      shaped = true;
    } else {
      return broken("an unknown or repeated key");
    }
    scanner.take(',');
  }
  if (!descr || !fortran || !shaped) return broken("a key is missing");
  TS_RETURN_IF_ERROR(parse_type(*descr, header));
  if (*fortran) {
    return base::invalid_argument(
        "it is in Fortran order (first axis fastest): save np.ascontiguousarray(x)");
  }
  return absl::OkStatus();
}

std::uint64_t little_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) {
    value = value << 8 | static_cast<unsigned char>(bytes[i]);
  }
  return value;
}

}  // namespace

std::string NpyHeader::type_name() const {
  if (kind == NpyKind::kUnicode) return fmt::format("text of {} characters", item_bytes / 4);
  if (kind == NpyKind::kBytes) return fmt::format("text of {} bytes", item_bytes);
  return std::string(model::name_of(type));
}

absl::StatusOr<NpyHeader> parse_npy_header(std::string_view start) {
  if (!start.starts_with(kMagic)) return base::invalid_argument("it is not a .npy array");
  if (start.size() < 10) return broken("it ends early");
  const int version = start[6];
  if (version < 1 || version > 3) {
    return base::invalid_argument("its .npy version is {}: expected 1, 2 or 3", version);
  }
  const std::size_t length_bytes = version == 1 ? 2 : 4;
  const std::size_t text_at = 8 + length_bytes;
  if (start.size() < text_at) return broken("it ends early");
  const std::uint64_t length = little_endian(start.substr(8, length_bytes));
  if (length > kMostNpyHeader - text_at) {
    return broken(fmt::format("{} bytes long, at most {} are read", length, kMostNpyHeader));
  }
  if (start.size() - text_at < length) return broken("it ends early");
  NpyHeader header;
  TS_RETURN_IF_ERROR(parse_dictionary(Scanner(start.substr(text_at, length)), header));
  header.data_offset = text_at + length;
  if (__builtin_mul_overflow(header.elements, header.item_bytes, &header.data_bytes) ||
      header.data_bytes > kMostBytes || header.elements > kMostBytes) {
    return broken("its shape " + model::to_string(header.shape) + " is too large");
  }
  return header;
}

std::string_view descr_of(DataType type) {
  const auto found = std::find_if(kTypes.begin(), kTypes.end(),
                                  [&](const NamedType& named) { return named.second == type; });
  return found == kTypes.end() ? std::string_view() : found->first;
}

std::string npy_header(std::string_view descr, const model::Shape& shape) {
  std::string sizes;
  for (const std::int64_t dimension : shape) sizes += fmt::format("{}, ", dimension);
  std::string text =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", descr, sizes);
  const std::size_t before = kMagic.size() + 4;
  text.append(63 - (before + text.size()) % 64, ' ');
  text += '\n';
  std::string header(kMagic);
  header +=
      {'\1', '\0', static_cast<char>(text.size() & 0xff), static_cast<char>(text.size() >> 8)};
  return header + text;
}

}  // namespace tachostat::verify
