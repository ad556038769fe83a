// The header of NumPy's .npy format, versions 1 to 3, as NumPy publishes it:
// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
// Any bytes may come in: nothing is trusted, nothing is allocated by a length in the file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "model/model.h"

namespace tachostat::verify {

enum class NpyKind { kNumbers, kUnicode, kBytes };

struct NpyHeader {
  NpyKind kind = NpyKind::kNumbers;
  model::DataType type = model::DataType::kUnknown;  // of numbers, bool among them
  std::uint64_t item_bytes = 0;
  model::Shape shape;             // empty: one number (a 0-d array)
  std::uint64_t data_offset = 0;  // where the elements begin
  // The number of elements and their bytes; both fit 62 bits.
  std::uint64_t elements = 0;
  std::uint64_t data_bytes = 0;

  // "f32", "text of 12 characters", "8 bytes", for messages and hashes.
  std::string type_name() const;
};

// How many bytes, at most, a header takes from the start of the file.
inline constexpr std::size_t kMostNpyHeader = std::size_t{64} << 10;

// `start`: the first bytes of the file, all of them or kMostNpyHeader. InvalidArgument for what is
// no .npy, and for arrays that are not read here: Python objects, structures, complex numbers,
// dates, big-endian and Fortran order. The message says what to do.
absl::StatusOr<NpyHeader> parse_npy_header(std::string_view start);

// A header as NumPy writes it (version 1, padded to 64 bytes), for C order; `descr` as in "<f4".
std::string npy_header(std::string_view descr, const model::Shape& shape);
// "<f4"; empty for types that NumPy lacks.
std::string_view descr_of(model::DataType type);

}  // namespace tachostat::verify
