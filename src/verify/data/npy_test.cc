#include "verify/data/npy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/status.h"
#include "verify/data/test_data.h"

namespace tachostat::verify {
namespace {

using model::DataType;
using testing::HasSubstr;

std::string refusal(std::string_view file) {
  const auto header = parse_npy_header(file);
  return header.ok() ? "it was read" : std::string(base::message_of(header.status()));
}
std::string refused_type(std::string_view descr) {
  return refusal(
      npy_with(fmt::format("{{'descr': {}, 'fortran_order': False, 'shape': (3,), }}", descr)));
}

TEST(NpyHeader, IsReadAsNumpyWritesIt) {
  const auto header = parse_npy_header(f32({2, 3}, {}));
  ASSERT_TRUE(header.ok()) << header.status();
  EXPECT_EQ(header->type, DataType::kF32);
  EXPECT_EQ(header->shape, (model::Shape{2, 3}));
  EXPECT_EQ(header->elements, 6u);
  EXPECT_EQ(header->data_bytes, 24u);
  EXPECT_EQ(header->data_offset % 64, 0u);
}

TEST(NpyHeader, OfOneNumberHasNoAxes) {
  const auto header = parse_npy_header(npy<std::int64_t>("<i8", {}, {7}));
  ASSERT_TRUE(header.ok()) << header.status();
  EXPECT_TRUE(header->shape.empty());
  EXPECT_EQ(header->elements, 1u);
}

TEST(NpyHeader, MayHaveKeysInAnyOrderAndPythonTwoLongs) {
  const auto header =
      parse_npy_header(npy_with("{\"shape\":(2L,3L),'fortran_order':False,'descr':'<i2'}"));
  ASSERT_TRUE(header.ok()) << header.status();
  EXPECT_EQ(header->shape, (model::Shape{2, 3}));
  EXPECT_EQ(header->type, DataType::kI16);
}

TEST(NpyHeader, OfVersionTwoHasALongerLength) {
  std::string file = npy_with("{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }");
  file[6] = 2;
  file.insert(10, std::string(2, '\0'));
  const auto header = parse_npy_header(file);
  ASSERT_TRUE(header.ok()) << header.status();
  EXPECT_EQ(header->type, DataType::kF64);
}

TEST(NpyHeader, OfTextSaysHowLong) {
  const auto header =
      parse_npy_header(npy_with("{'descr': '<U5', 'fortran_order': False, 'shape': (2,), }"));
  ASSERT_TRUE(header.ok()) << header.status();
  EXPECT_EQ(header->kind, NpyKind::kUnicode);
  EXPECT_EQ(header->item_bytes, 20u);
  EXPECT_EQ(header->type_name(), "text of 5 characters");
}

TEST(NpyHeader, RefusesWhatIsNotReadAndSaysWhatToDo) {
  EXPECT_THAT(refused_type("'|O'"), HasSubstr("pickle"));
  EXPECT_THAT(refused_type("[('a', '<f4')]"), HasSubstr("structures"));
  EXPECT_THAT(refused_type("'>f4'"), HasSubstr("big-endian"));
  EXPECT_THAT(refused_type("'<c8'"), HasSubstr("'<c8' is not read here"));
  EXPECT_THAT(refused_type("'<M8[ns]'"), HasSubstr("is not read here"));
  EXPECT_THAT(refusal(npy_with("{'descr': '<f4', 'fortran_order': True, 'shape': (3, 2), }")),
              HasSubstr("np.ascontiguousarray"));
}

TEST(NpyHeader, TrustsNoLength) {
  EXPECT_THAT(refusal(npy_with(
                  "{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 9)}")),
              HasSubstr("too large"));
  EXPECT_THAT(refusal(npy_with(
                  "{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904,)}")),
              HasSubstr("too large"));
  EXPECT_THAT(refusal(npy_with("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}")),
              HasSubstr("its shape"));
  std::string file = npy_with("{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }");
  file[6] = 2;
  file.insert(10, std::string("\xff\xff"));
  EXPECT_THAT(refusal(file), HasSubstr("bytes long, at most"));
}

TEST(NpyHeader, CutAnywhereIsRefused) {
  const std::string whole = f32({2, 3}, {});
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_FALSE(parse_npy_header(std::string_view(whole).substr(0, length)).ok()) << length;
  }
}

TEST(NpyHeader, RefusesMissingAndRepeatedKeys) {
  EXPECT_THAT(refusal(npy_with("{'descr': '<f4', 'shape': (3,), }")), HasSubstr("missing"));
  EXPECT_THAT(refusal(npy_with("{'descr': '<f4', 'descr': '<f4', 'shape': (3,), }")),
              HasSubstr("repeated"));
  EXPECT_THAT(refusal(npy_with("{'descr': '<f4', 'fortran_order': False, 'shape': (3 4), }")),
              HasSubstr("its shape"));
}

}  // namespace
}  // namespace tachostat::verify
