#include <gtest/gtest.h>

#include <limits>

#include "model/model.h"

namespace tachostat::model {
namespace {

TEST(DataTypeTest, NamesRoundTrip) {
  for (int i = static_cast<int>(DataType::kBool); i <= static_cast<int>(DataType::kString); ++i) {
    const auto type = static_cast<DataType>(i);
    EXPECT_NE(name_of(type), "unknown") << i;
    EXPECT_EQ(data_type_of(name_of(type)), type);
    if (!protocol_name_of(type).empty()) {
      EXPECT_EQ(data_type_of_protocol(protocol_name_of(type)), type);
    }
  }
}

TEST(DataTypeTest, UnknownStaysUnknown) {
  EXPECT_EQ(name_of(DataType::kUnknown), "unknown");
  EXPECT_EQ(data_type_of("unknown"), DataType::kUnknown);
  EXPECT_EQ(data_type_of(""), DataType::kUnknown);
  EXPECT_EQ(data_type_of_protocol(""), DataType::kUnknown);
  EXPECT_EQ(data_type_of_protocol("f32"), DataType::kUnknown);
  EXPECT_EQ(bits_of(DataType::kUnknown), 0);
}

TEST(DataTypeTest, ProtocolSpelling) {
  EXPECT_EQ(protocol_name_of(DataType::kF32), "FP32");
  EXPECT_EQ(protocol_name_of(DataType::kString), "BYTES");
  EXPECT_EQ(protocol_name_of(DataType::kU4), "");
  EXPECT_EQ(bits_of(DataType::kU4), 4);
}

TEST(ShapeTest, Elements) {
  EXPECT_EQ(elements_of({}), 1);
  EXPECT_EQ(elements_of({2, 3, 4}), 24);
  EXPECT_EQ(elements_of({2, 0, 4}), 0);
  EXPECT_EQ(elements_of({2, kDynamic}), 0);
  const std::int64_t huge = std::int64_t{1} << 40;
  EXPECT_EQ(elements_of({huge, huge}), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(elements_of({huge, huge, 0}), 0);
}

TEST(ShapeTest, Text) {
  EXPECT_EQ(to_string(Shape{1, 3, 48, kDynamic}), "[1,3,48,?]");
  EXPECT_EQ(to_string(Shape{}), "[]");
  EXPECT_EQ(to_string(InputShapes{}), "dynamic");
  EXPECT_EQ(to_string(InputShapes{{"y", {2}}, {"x", {1, 3}}}), "x[1,3];y[2]");
}

TEST(ShapeTest, Accepts) {
  EXPECT_TRUE(accepts({kDynamic, 3}, {7, 3}));
  EXPECT_TRUE(accepts({}, {}));
  EXPECT_FALSE(accepts({kDynamic, 3}, {7, 4}));
  EXPECT_FALSE(accepts({kDynamic, 3}, {7, 3, 1}));
  EXPECT_FALSE(accepts({kDynamic}, {}));
  EXPECT_FALSE(accepts({kDynamic}, {kDynamic}));
}

TEST(WorkTest, BytesNeedEveryPart) {
  EXPECT_EQ(Work{}.bytes(), -1);
  EXPECT_EQ((Work{.flops = 0, .weight_bytes = 1, .input_bytes = 2, .output_bytes = 3}).bytes(), 6);
  EXPECT_EQ((Work{.flops = 0, .weight_bytes = 1, .input_bytes = -1, .output_bytes = 3}).bytes(),
            -1);
}

TEST(GraphTest, Finds) {
  Graph graph;
  graph.inputs = {{"x", DataType::kF32, {1}}};
  graph.outputs = {{"y", DataType::kF32, {1}}};
  graph.layers.resize(2);
  graph.layers[1].name = "relu";
  EXPECT_EQ(graph.find_input("x"), graph.inputs.data());
  EXPECT_EQ(graph.find_input("y"), nullptr);
  EXPECT_EQ(graph.find_output("y"), graph.outputs.data());
  EXPECT_EQ(graph.find_layer("relu"), 1);
  EXPECT_EQ(graph.find_layer("none"), -1);
}

}  // namespace
}  // namespace tachostat::model
