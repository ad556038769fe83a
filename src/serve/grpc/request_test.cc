#include "serve/grpc/request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "serve/grpc/answer.h"

namespace tachostat::serve {
namespace {

using inference::ModelInferRequest;
using ::testing::HasSubstr;

ModelInferRequest::InferInputTensor& add_input(ModelInferRequest& message, const char* type,
                                               std::vector<std::int64_t> shape) {
  auto& input = *message.add_inputs();
  input.set_name("x");
  input.set_datatype(type);
  input.mutable_shape()->Add(shape.begin(), shape.end());
  return input;
}

absl::StatusOr<InferRequest> read(const ModelInferRequest& message) {
  return to_infer_request(std::make_shared<const ModelInferRequest>(message));
}

absl::StatusOr<InferRequest> read_raw(const char* type, std::vector<std::int64_t> shape,
                                      const std::string& raw) {
  ModelInferRequest message;
  add_input(message, type, std::move(shape));
  message.add_raw_input_contents(raw);
  return read(message);
}

TEST(GrpcRequest, RawContentsAreViews) {
  auto message = std::make_shared<ModelInferRequest>();
  add_input(*message, "FP32", {2});
  message->add_raw_input_contents(std::string(8, 'a'));
  const auto request = to_infer_request(message);
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(static_cast<const void*>(request->inputs.at(0).data.data()),
            message->raw_input_contents(0).data());
  EXPECT_EQ(request->inputs.at(0).owner, message);
}

TEST(GrpcRequest, TypedContentsOfEveryKind) {
  ModelInferRequest message;
  add_input(message, "INT8", {2}).mutable_contents()->add_int_contents(-128);
  message.mutable_inputs(0)->mutable_contents()->add_int_contents(127);
  add_input(message, "FP32", {1}).mutable_contents()->add_fp32_contents(1.5f);
  add_input(message, "BYTES", {1}).mutable_contents()->add_bytes_contents("ab");
  add_input(message, "BOOL", {1}).mutable_contents()->add_bool_contents(true);
  add_input(message, "UINT16", {1}).mutable_contents()->add_uint_contents(65535);
  add_input(message, "UINT64", {1}).mutable_contents()->add_uint64_contents(UINT64_MAX);
  add_input(message, "FP64", {1}).mutable_contents()->add_fp64_contents(2.5);
  add_input(message, "INT64", {1}).mutable_contents()->add_int64_contents(INT64_MIN);
  const auto request = read(message);
  ASSERT_TRUE(request.ok()) << request.status();
  const std::vector<std::string> expected = {std::string("\x80\x7f"),
                                             std::string("\0\0\xc0\x3f", 4),
                                             std::string("\2\0\0\0ab", 6),
                                             "\1",
                                             "\xff\xff",
                                             "\xff\xff\xff\xff\xff\xff\xff\xff",
                                             std::string("\0\0\0\0\0\0\4\x40", 8),
                                             std::string("\0\0\0\0\0\0\0\x80", 8)};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const auto& data = request->inputs.at(i).data;
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(data.data()), data.size()), expected[i])
        << i;
  }
}

TEST(GrpcRequest, WhatDoesNotFitIsRefused) {
  const auto refused = [](const absl::StatusOr<InferRequest>& request, const char* message) {
    EXPECT_EQ(request.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(request.status().message()), HasSubstr(message));
  };
  refused(read_raw("FP32", {2}, "1234567"), "7 bytes came");
  refused(read_raw("FP32", {-1}, "1234"), "negative");
  refused(read_raw("FP32", std::vector<std::int64_t>(40, 1), "1234"), "dimensions");
  refused(read_raw("FP32", {INT64_MAX, INT64_MAX}, "1234"), "4 bytes came");
  refused(read_raw("", {1}, "1234"), "datatype");
  refused(read_raw("BYTES", {1}, "12345"), "strings");
  ModelInferRequest message;
  add_input(message, "INT8", {1}).mutable_contents()->add_int_contents(128);
  refused(read(message), "expected a value of INT8");
  message.add_raw_input_contents("1");
  refused(read(message), "too");
  message.add_raw_input_contents("2");
  refused(read(message), "one for each");
  ModelInferRequest half;
  add_input(half, "FP16", {1}).mutable_contents()->add_fp32_contents(1);
  refused(read(half), "raw_input_contents");
  ModelInferRequest wrong;
  add_input(wrong, "FP32", {1}).mutable_contents()->add_fp64_contents(1);
  refused(read(wrong), "0 bytes came");
  ModelInferRequest nameless;
  nameless.add_inputs()->set_datatype("FP32");
  refused(read(nameless), "no name");
}

TEST(GrpcRequest, Parameters) {
  ModelInferRequest message;
  (*message.mutable_parameters())["timeout"].set_int64_param(2000);
  (*message.mutable_parameters())["other"].set_double_param(1);
  message.add_outputs()->set_name("y");
  const auto request = read(message);
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(request->timeout, std::chrono::milliseconds(2));
  EXPECT_EQ(request->outputs.at(0).name, "y");
  (*message.mutable_parameters())["timeout"].set_string_param("x");
  EXPECT_FALSE(read(message).ok());
  (*message.mutable_parameters())["timeout"].set_uint64_param(UINT64_MAX);
  EXPECT_TRUE(read(message).ok());
  (*message.mutable_outputs(0)->mutable_parameters())["shared_memory_region"].set_string_param("r");
  EXPECT_FALSE(read(message).ok());
}

std::string bytes_of(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  EXPECT_TRUE(buffer.Dump(&slices).ok());
  std::string text;
  for (const grpc::Slice& slice : slices) {
    text.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return text;
}

engine::Tensor bytes_tensor(std::size_t size, char fill) {
  auto memory = std::make_shared<std::string>(size, fill);
  return {.name = "y",
          .type = model::DataType::kU8,
          .shape = {static_cast<std::int64_t>(size)},
          .data = std::as_bytes(std::span<const char>(*memory)),
          .owner = memory};
}

TEST(GrpcAnswer, IsWhatProtobufReads) {
  const ServedModel model{.name = "m", .platform = "", .graph = {}};
  InferRequest request;
  request.id = "7";
  const std::vector<engine::Tensor> outputs = {bytes_tensor(3, 'a'), bytes_tensor(100'000, 'b'),
                                               bytes_tensor(0, 'c'), bytes_tensor(5000, 'd')};
  const auto buffer = write_answer(model, request, outputs);
  ASSERT_TRUE(buffer.ok()) << buffer.status();
  inference::ModelInferResponse response;
  ASSERT_TRUE(response.ParseFromString(bytes_of(*buffer)));
  EXPECT_EQ(response.id(), "7");
  ASSERT_EQ(response.raw_output_contents_size(), 4);
  EXPECT_EQ(response.raw_output_contents(0), "aaa");
  EXPECT_EQ(response.raw_output_contents(1), std::string(100'000, 'b'));
  EXPECT_EQ(response.raw_output_contents(2), "");
  EXPECT_EQ(response.outputs(3).shape(0), 5000);
  EXPECT_EQ(response.outputs(3).datatype(), "UINT8");

  const auto stream = write_stream_answer(model, request, outputs);
  ASSERT_TRUE(stream.ok());
  inference::ModelStreamInferResponse streamed;
  ASSERT_TRUE(streamed.ParseFromString(bytes_of(*stream)));
  EXPECT_EQ(streamed.error_message(), "");
  EXPECT_EQ(streamed.infer_response().SerializeAsString(), response.SerializeAsString());
}

TEST(GrpcAnswer, KeepsTheTensorsAliveAndLetsThemGo) {
  std::weak_ptr<const void> owner;
  {
    const ServedModel model{.name = "m", .platform = "", .graph = {}};
    std::vector<engine::Tensor> outputs = {bytes_tensor(100'000, 'b')};
    owner = outputs[0].owner;
    const auto buffer = write_answer(model, {}, std::move(outputs));
    ASSERT_TRUE(buffer.ok());
    EXPECT_FALSE(owner.expired());
  }
  EXPECT_TRUE(owner.expired());
}

}  // namespace
}  // namespace tachostat::serve
