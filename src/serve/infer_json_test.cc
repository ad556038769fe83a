#include "serve/infer_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "base/status.h"

namespace tachostat::serve {
namespace {

using ::testing::HasSubstr;

absl::StatusOr<InferRequest> parse(std::string_view text,
                                   std::optional<std::size_t> json_size = std::nullopt) {
  return parse_infer_body(Body::copy_of(text), json_size);
}

std::string one_input(std::string_view type, std::string_view shape, std::string_view data) {
  return fmt::format(R"({{"inputs":[{{"name":"x","datatype":"{}","shape":{},"data":{}}}]}})", type,
                     shape, data);
}

template <class T>
std::vector<T> values_of(const engine::Tensor& tensor) {
  std::vector<T> values(tensor.data.size() / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), tensor.data.data(), tensor.data.size());
  return values;
}

template <class T>
std::vector<T> values_in(std::string_view type, std::string_view shape, std::string_view data) {
  const auto request = parse(one_input(type, shape, data));
  EXPECT_TRUE(request.ok()) << request.status();
  return request.ok() ? values_of<T>(request->inputs.at(0)) : std::vector<T>();
}

TEST(InferJson, ReadsEveryDatatypeToItsLimits) {
  EXPECT_EQ(values_in<std::int8_t>("INT8", "[2]", "[-128,127]"),
            (std::vector<std::int8_t>{-128, 127}));
  EXPECT_EQ(values_in<std::uint8_t>("UINT8", "[2]", "[0,255]"),
            (std::vector<std::uint8_t>{0, 255}));
  EXPECT_EQ(values_in<std::int16_t>("INT16", "[1]", "[-32768]"),
            (std::vector<std::int16_t>{-32768}));
  EXPECT_EQ(values_in<std::uint16_t>("UINT16", "[1]", "[65535]"),
            (std::vector<std::uint16_t>{65535}));
  EXPECT_EQ(values_in<std::int32_t>("INT32", "[1]", "[-2147483648]"),
            (std::vector<std::int32_t>{INT32_MIN}));
  EXPECT_EQ(values_in<std::uint32_t>("UINT32", "[1]", "[4294967295]"),
            (std::vector<std::uint32_t>{UINT32_MAX}));
  EXPECT_EQ(values_in<std::int64_t>("INT64", "[1]", "[-9223372036854775808]"),
            (std::vector<std::int64_t>{INT64_MIN}));
  EXPECT_EQ(values_in<std::uint64_t>("UINT64", "[1]", "[18446744073709551615]"),
            (std::vector<std::uint64_t>{UINT64_MAX}));
  EXPECT_EQ(values_in<float>("FP32", "[3]", "[1,-2.5e-3,0]"), (std::vector<float>{1, -2.5e-3f, 0}));
  EXPECT_EQ(values_in<double>("FP64", "[1]", "[1e300]"), (std::vector<double>{1e300}));
  EXPECT_EQ(values_in<std::uint8_t>("BOOL", "[2]", "[true,false]"),
            (std::vector<std::uint8_t>{1, 0}));
}

TEST(InferJson, StringsGetLengthPrefixes) {
  const auto request = parse(one_input("BYTES", "[3]", R"(["ab","","\u00e9"])"));
  ASSERT_TRUE(request.ok()) << request.status();
  const auto bytes = values_of<char>(request->inputs.at(0));
  EXPECT_EQ(std::string(bytes.begin(), bytes.end()),
            std::string("\2\0\0\0ab\0\0\0\0\2\0\0\0\xc3\xa9", 16));
}

TEST(InferJson, DataMayBeNestedOrFlatAndMayComeFirst) {
  EXPECT_EQ(values_in<float>("FP32", "[2,2]", "[[1,2],[3,4]]"), (std::vector<float>{1, 2, 3, 4}));
  EXPECT_EQ(values_in<float>("FP32", "[2,2]", "[1,2,3,4]"), (std::vector<float>{1, 2, 3, 4}));
  EXPECT_EQ(values_in<float>("FP32", "[2,0]", "[[],[]]"), (std::vector<float>{}));
  EXPECT_EQ(values_in<float>("FP32", "[]", "[7]"), (std::vector<float>{7}));
  const auto request =
      parse(R"({"inputs":[{"data":[5],"parameters":{},"shape":[1],"unknown":[[{}]],)"
            R"("datatype":"INT32","name":"x"}]})");
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(values_of<int>(request->inputs.at(0)), std::vector<int>{5});
}

TEST(InferJson, ReadsIdParametersAndOutputs) {
  const auto request =
      parse(R"({"id":"a\"b","parameters":{"timeout":1500,"priority":3,"binary_data_output":true,)"
            R"("sequence_id":0,"other":null},"inputs":[],)"
            R"("outputs":[{"name":"y"},{"name":"z","parameters":{"binary_data":false}}]})");
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(request->id, "a\"b");
  EXPECT_EQ(request->timeout, std::chrono::microseconds(1500));
  EXPECT_TRUE(request->binary_outputs);
  ASSERT_EQ(request->outputs.size(), 2u);
  EXPECT_FALSE(request->outputs[0].binary.has_value());
  EXPECT_EQ(request->outputs[1].binary, false);
}

TEST(InferJson, BinaryTensorsAreViewsIntoTheBody) {
  const std::string json =
      R"({"inputs":[{"name":"a","datatype":"FP32","shape":[2],"parameters":{"binary_data_size":8}},)"
      R"({"name":"b","datatype":"INT8","shape":[1],"data":[9]},)"
      R"({"name":"c","datatype":"UINT8","shape":[3],"parameters":{"binary_data_size":3}}]})";
  const auto body = Body::copy_of(json + std::string(8, '\0') + "abc");
  const auto request = parse_infer_body(body, json.size());
  ASSERT_TRUE(request.ok()) << request.status();
  const engine::Tensor& last = request->inputs.at(2);
  EXPECT_EQ(static_cast<const void*>(last.data.data()), body->text().data() + json.size() + 8);
  EXPECT_EQ(last.owner, body);
  EXPECT_EQ(values_of<std::int8_t>(request->inputs.at(1)), std::vector<std::int8_t>{9});
}

struct Refused {
  std::string body;
  std::string message;
};
// The test's name in a list; the body may hold anything.
void PrintTo(const Refused& refused, std::ostream* out) { *out << refused.message; }

class InferJsonRefuses : public ::testing::TestWithParam<Refused> {};

TEST_P(InferJsonRefuses, WithAMessageThatSaysWhy) {
  const auto request = parse(GetParam().body);
  ASSERT_FALSE(request.ok());
  EXPECT_EQ(request.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(request.status().message()), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Bad, InferJsonRefuses,
    ::testing::Values(
        Refused{"", "JSON"}, Refused{" ", "JSON"}, Refused{"[]", "JSON"}, Refused{"{", "JSON"},
        Refused{"nul", "JSON"}, Refused{std::string("\0\0", 2), "JSON"}, Refused{"{}", "'inputs'"},
        Refused{R"({"inputs":{}})", "inputs"}, Refused{R"({"inputs":[1]})", "inputs"},
        Refused{R"({"inputs":[{}]})", "no name"}, Refused{R"({"inputs":[]} x)", "JSON"},
        Refused{R"({"inputs":[]}{"inputs":[]})", "follows"},
        Refused{R"({"inputs":[],"inputs":[]})", "twice"}, Refused{R"({"id":1,"inputs":[]})", "id"},
        Refused{"{\"id\":\"\xff\",\"inputs\":[]}", "UTF-8"},
        Refused{R"({"inputs":[],"outputs":[{}]})", "no name"},
        Refused{R"({"inputs":[],"parameters":{"timeout":-1}})", "microseconds"},
        Refused{R"({"inputs":[],"parameters":{"timeout":"soon"}})", "microseconds"},
        Refused{R"({"inputs":[],"parameters":{"sequence_id":7}})", "sequences"},
        Refused{R"({"inputs":[],"parameters":{"sequence_id":"s"}})", "sequences"},
        Refused{R"({"inputs":[],"outputs":[{"name":"y","parameters":{"classification":3}}]})",
                "classification"},
        Refused{R"({"inputs":[],"outputs":[{"name":"y","parameters":{"binary_data":1}}]})",
                "true or false"},
        Refused{R"({"inputs":[{"name":"x","datatype":"FP32","shape":[1],)"
                R"("parameters":{"shared_memory_region":"r"}}]})",
                "shared memory"},
        Refused{R"({"inputs":[{"name":"x","datatype":"FP32","shape":[1]}]})", "neither"},
        Refused{R"({"inputs":[{"name":"x","datatype":"FP32","data":[1]}]})", "no shape"},
        Refused{R"({"inputs":[{"name":"x","datatype":"FP32","shape":[1],"data":[1],"data":[2]}]})",
                "twice"},
        Refused{one_input("FP31", "[1]", "[1]"), "FP31"},
        Refused{one_input("FP16", "[1]", "[1]"), "binary data"},
        Refused{one_input("BF16", "[1]", "[1]"), "binary data"},
        Refused{one_input("FP32", "[-1]", "[1]"), "negative"},
        Refused{one_input("FP32", "[1.5]", "[1]"), "shape"},
        Refused{one_input("FP32", "[99999999999999999999]", "[1]"), "shape"},
        Refused{one_input("FP32", "[9223372036854775807,9223372036854775807]", "[1]"), "needs"},
        Refused{one_input("FP32", "[4294967296,4294967296]", "[]"), "needs"},
        Refused{one_input("FP32", "[2]", "[1]"), "data has 1"},
        Refused{one_input("FP32", "[2]", "[1,2,3]"), "more than 2"},
        Refused{one_input("FP32", "[0]", "[1]"), "more than 0"},
        Refused{one_input("FP32", "[1]", "1"), "array"},
        Refused{one_input("FP32", "[1]", "[NaN]"), "input 'x': data"},
        Refused{one_input("FP32", "[1]", "[Infinity]"), "input 'x': data"},
        Refused{one_input("FP32", "[1]", "[1e39]"), "expected a value of FP32"},
        Refused{one_input("FP64", "[1]", "[1e999]"), "expected a value of FP64"},
        Refused{one_input("FP32", "[1]", "[\"1\"]"), "expected a value of FP32"},
        Refused{one_input("FP32", "[1]", "[null]"), "expected a value of FP32"},
        Refused{one_input("FP32", "[1]", "[{}]"), "expected a value of FP32"},
        Refused{one_input("INT32", "[1]", "[1.0]"), "expected a value of INT32"},
        Refused{one_input("INT32", "[1]", "[2147483648]"), "expected a value of INT32"},
        Refused{one_input("INT8", "[1]", "[128]"), "expected a value of INT8"},
        Refused{one_input("UINT8", "[1]", "[-1]"), "expected a value of UINT8"},
        Refused{one_input("INT64", "[1]", "[9223372036854775808]"), "expected a value of INT64"},
        Refused{one_input("BOOL", "[1]", "[1]"), "expected a value of BOOL"},
        Refused{one_input("BYTES", "[1]", "[1]"), "expected a string"},
        Refused{one_input("BYTES", "[1]", "[\"a\",\"b\"]"), "more than 1"}));

TEST(InferJson, DeepNestingIsRefusedWithoutRecursingIntoIt) {
  const std::string deep = std::string(200'000, '[');
  EXPECT_FALSE(parse(deep).ok());
  EXPECT_FALSE(parse(R"({"inputs":)" + deep).ok());
  EXPECT_FALSE(parse(R"({"unknown":)" + deep).ok());
  const std::string closed = deep + "1" + std::string(200'000, ']');
  const auto request = parse(one_input("FP32", "[1]", closed));
  ASSERT_FALSE(request.ok());
  const std::string forty = std::string(40, '[') + "1" + std::string(40, ']');
  EXPECT_THAT(std::string(parse(one_input("FP32", "[1]", forty)).status().message()),
              HasSubstr("nested more than 32"));
}

std::string binary_input(std::string_view type, std::string_view shape, std::string_view size) {
  return fmt::format(R"({{"inputs":[{{"name":"x","datatype":"{}","shape":{},)"
                     R"("parameters":{{"binary_data_size":{}}}}}]}})",
                     type, shape, size);
}

absl::Status binary_status(const std::string& json, const std::string& tail) {
  return parse(json + tail, json.size()).status();
}

TEST(InferJson, BinarySizesThatLieAreRefused) {
  EXPECT_TRUE(binary_status(binary_input("FP16", "[2]", "4"), "abcd").ok());
  EXPECT_TRUE(binary_status(binary_input("FP32", "[0]", "0"), "").ok());
  const auto refused = [](const std::string& json, const std::string& tail,
                          const std::string& message) {
    const absl::Status status = binary_status(json, tail);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr(message));
  };
  refused(binary_input("FP32", "[2]", "8"), "1234567", "7 bytes are left");
  refused(binary_input("FP32", "[2]", "8"), "123456789", "1 bytes follow");
  refused(binary_input("FP32", "[3]", "8"), "12345678", "8 bytes came");
  refused(binary_input("FP32", "[2]", "9223372036854775807"), "12345678", "8 bytes are left");
  refused(binary_input("FP32", "[2]", "18446744073709551615"), "12345678", "number of bytes");
  refused(binary_input("FP32", "[2]", "-8"), "12345678", "number of bytes");
  refused(binary_input("FP32", "[4611686018427387906]", "8"), "12345678", "8 bytes came");
  refused(binary_input("FP32", "[2,9223372036854775807]", "8"), "12345678", "8 bytes came");
  refused(R"({"inputs":[{"name":"x","datatype":"FP32","shape":[1],"data":[1],)"
          R"("parameters":{"binary_data_size":4}}]})",
          "1234", "both");
}

TEST(InferJson, BinaryStringsMustBeWhole) {
  const std::string two("\1\0\0\0a\2\0\0\0bc", 11);
  EXPECT_TRUE(binary_status(binary_input("BYTES", "[2]", "11"), two).ok());
  EXPECT_FALSE(binary_status(binary_input("BYTES", "[1]", "11"), two).ok());
  EXPECT_FALSE(binary_status(binary_input("BYTES", "[3]", "11"), two).ok());
  EXPECT_FALSE(binary_status(binary_input("BYTES", "[2]", "10"), two.substr(0, 10)).ok());
  const std::string lie(
      "\xff\xff\xff\xff"
      "a",
      5);
  EXPECT_FALSE(binary_status(binary_input("BYTES", "[1]", "5"), lie).ok());
}

TEST(InferJson, HeaderLengthBeyondTheBodyIsRefused) {
  EXPECT_FALSE(parse(R"({"inputs":[]})", 1000).ok());
  EXPECT_FALSE(parse(R"({"inputs":[]})", 5).ok());
  EXPECT_FALSE(parse(R"({"inputs":[]})", 0).ok());
}

// Whatever is cut or flipped, the reader must come back; the sanitizers watch where it reads.
TEST(InferJson, SurvivesMutations) {
  const std::string json =
      R"({"id":"1","parameters":{"timeout":5},"inputs":[{"name":"x","datatype":"FP32",)"
      R"("shape":[2],"data":[1.5,-2e3]},{"name":"s","datatype":"BYTES","shape":[1],)"
      R"("parameters":{"binary_data_size":6}}],"outputs":[{"name":"y"}]})";
  const std::string whole = json + std::string("\2\0\0\0hi", 6);
  ASSERT_TRUE(parse(whole, json.size()).ok());
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    const bool parsed = parse(std::string_view(whole).substr(0, cut), json.size()).ok();
    EXPECT_FALSE(parsed) << cut;
  }
  std::mt19937 random(1);
  constexpr std::string_view kBytes = "{}[]\",:0-9eE.\\u\xff\x00tn ";
  for (int round = 0; round < 20'000; ++round) {
    std::string changed = whole;
    for (unsigned i = 0, n = 1 + random() % 4; i < n; ++i) {
      changed[random() % changed.size()] = kBytes[random() % kBytes.size()];
    }
    parse(changed, json.size()).IgnoreError();
  }
}

}  // namespace
}  // namespace tachostat::serve
