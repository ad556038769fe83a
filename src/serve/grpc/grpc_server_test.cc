#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <set>

#include "base/status.h"
#include "inference.grpc.pb.h"
#include "serve/fake_scheduler.h"
#include "serve/serve.h"

namespace tachostat::serve {
namespace {

using inference::GRPCInferenceService;
using inference::ModelInferRequest;
using inference::ModelInferResponse;
using inference::ModelStreamInferResponse;
using ::testing::HasSubstr;

class GrpcServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    repository_.add({.name = "echo",
                     .platform = "fake",
                     .graph = echo_graph(),
                     .scheduler = &scheduler_,
                     .on_wired = [this](const Wired&) { ++wired_; }});
    repository_.set_ready(true);
    limits_.max_body = 1 << 20;
    auto server = start_grpc("127.0.0.1:0", clock_, repository_, limits_);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    stub_ = GRPCInferenceService::NewStub(
        grpc::CreateChannel(server_->address(), grpc::InsecureChannelCredentials()));
  }
  void TearDown() override { scheduler_.release(); }

  static ModelInferRequest request_of(const std::string& id, std::size_t floats = 2) {
    ModelInferRequest request;
    request.set_model_name("echo");
    request.set_id(id);
    auto& input = *request.add_inputs();
    input.set_name("x");
    input.set_datatype("FP32");
    input.add_shape(static_cast<std::int64_t>(floats));
    request.add_raw_input_contents(std::string(floats * 4, 'f'));
    return request;
  }

  grpc::Status infer(const ModelInferRequest& request, ModelInferResponse* response = nullptr) {
    ModelInferResponse ignored;
    grpc::ClientContext context;
    return stub_->ModelInfer(&context, request, response ? response : &ignored);
  }
  base::Time soon() { return clock_.now() + std::chrono::seconds(30); }

  std::atomic<int> wired_ = 0;  // answered requests that were told of
  base::ManualClock clock_;
  Repository repository_;
  FakeScheduler scheduler_{echo_graph()};
  Limits limits_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<GRPCInferenceService::Stub> stub_;
};

TEST_F(GrpcServerTest, DescribesServerAndModels) {
  {
    grpc::ClientContext context;
    inference::ServerReadyResponse response;
    ASSERT_TRUE(stub_->ServerReady(&context, {}, &response).ok());
    EXPECT_TRUE(response.ready());
  }
  inference::ModelMetadataRequest model;
  model.set_name("echo");
  {
    grpc::ClientContext context;
    inference::ModelMetadataResponse response;
    ASSERT_TRUE(stub_->ModelMetadata(&context, model, &response).ok());
    EXPECT_EQ(response.inputs(0).shape(0), -1);
    EXPECT_EQ(response.outputs(0).name(), "y");
  }
  {
    grpc::ClientContext context;
    inference::ModelConfigRequest request;
    request.set_name("echo");
    inference::ModelConfigResponse response;
    ASSERT_TRUE(stub_->ModelConfig(&context, request, &response).ok());
    EXPECT_EQ(response.config().input(0).data_type(), inference::TYPE_FP32);
  }
  ASSERT_TRUE(infer(request_of("1")).ok());
  {
    grpc::ClientContext context;
    inference::ModelStatisticsResponse response;
    ASSERT_TRUE(stub_->ModelStatistics(&context, {}, &response).ok());
    EXPECT_EQ(response.model_stats(0).inference_stats().success().ns(), 3000u);
  }
  {
    grpc::ClientContext context;
    inference::RepositoryIndexResponse response;
    ASSERT_TRUE(stub_->RepositoryIndex(&context, {}, &response).ok());
    EXPECT_EQ(response.models(0).state(), "READY");
  }
  grpc::ClientContext context;
  inference::ModelMetadataResponse response;
  model.set_version("9");
  EXPECT_EQ(stub_->ModelMetadata(&context, model, &response).error_code(),
            grpc::StatusCode::NOT_FOUND);
}

TEST_F(GrpcServerTest, Infers) {
  ModelInferResponse response;
  const grpc::Status status = infer(request_of("7", 5000), &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.id(), "7");
  EXPECT_EQ(response.model_version(), "1");
  EXPECT_EQ(response.outputs(0).name(), "y");
  EXPECT_EQ(response.raw_output_contents(0), std::string(20'000, 'f'));
}

TEST_F(GrpcServerTest, TellsOfAnsweredRequests) {
  EXPECT_TRUE(infer(request_of("1")).ok());
  EXPECT_EQ(wired_, 1);
  ModelInferRequest bad = request_of("2");
  bad.clear_raw_input_contents();
  EXPECT_FALSE(infer(bad).ok());
  EXPECT_EQ(wired_, 1);
}

TEST_F(GrpcServerTest, ErrorsHaveTheirCodes) {
  ModelInferRequest request = request_of("1");
  request.set_model_name("nope");
  EXPECT_EQ(infer(request).error_code(), grpc::StatusCode::NOT_FOUND);
  request = request_of("1");
  request.add_outputs()->set_name(std::string(100'000, 'z'));
  EXPECT_EQ(infer(request).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  request = request_of("1");
  request.set_raw_input_contents(0, "123");
  EXPECT_EQ(infer(request).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(infer(request_of("1", 1 << 20)).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  scheduler_.fail_with(absl::ResourceExhaustedError("queue full"));
  const grpc::Status status = infer(request_of("1"));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(status.error_message(), "queue full");
}

TEST_F(GrpcServerTest, TheClientsDeadlineReachesTheScheduler) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(100));
  ModelInferResponse response;
  ASSERT_TRUE(stub_->ModelInfer(&context, request_of("1"), &response).ok());
  EXPECT_GT(scheduler_.last_deadline(), clock_.now());
  // gRPC rounds what it sends up to its next unit.
  EXPECT_LE(scheduler_.last_deadline(), clock_.now() + std::chrono::seconds(110));
  ASSERT_TRUE(infer(request_of("2")).ok());
  EXPECT_EQ(scheduler_.last_deadline(), base::Time::max());
}

TEST_F(GrpcServerTest, ACancelledCallEndsAndItsLateAnswerDoesNoHarm) {
  scheduler_.hold();
  grpc::ClientContext context;
  auto call = std::async(std::launch::async, [&] {
    ModelInferResponse response;
    return stub_->ModelInfer(&context, request_of("1"), &response).error_code();
  });
  scheduler_.wait_until_held(1);
  context.TryCancel();
  EXPECT_EQ(call.get(), grpc::StatusCode::CANCELLED);
  // The server may have freed the call by now; the scheduler still answers it.
  EXPECT_TRUE(server_->drain(soon()));
  scheduler_.release();
}

TEST_F(GrpcServerTest, StreamsAnswersInTheOrderTheyAreReady) {
  scheduler_.hold();
  grpc::ClientContext context;
  auto stream = stub_->ModelStreamInfer(&context);
  ASSERT_TRUE(stream->Write(request_of("a", 2000)));
  ASSERT_TRUE(stream->Write(request_of("b")));
  scheduler_.wait_until_held(2);
  scheduler_.release();  // newest first
  ModelStreamInferResponse response;
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.infer_response().id(), "b");
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.infer_response().id(), "a");
  EXPECT_EQ(response.infer_response().raw_output_contents(0).size(), 8000u);
  ModelInferRequest wrong = request_of("c");
  wrong.set_model_name("nope");
  ASSERT_TRUE(stream->Write(wrong));
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_THAT(response.error_message(), HasSubstr("no model 'nope'"));
  EXPECT_EQ(response.infer_response().id(), "c");
  stream->WritesDone();
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(GrpcServerTest, AStreamOfManyRequests) {
  grpc::ClientContext context;
  auto stream = stub_->ModelStreamInfer(&context);
  constexpr int kRequests = 300;
  auto writer = std::async(std::launch::async, [&] {
    for (int i = 0; i < kRequests; ++i) stream->Write(request_of(std::to_string(i)));
    stream->WritesDone();
  });
  std::set<std::string> ids;
  ModelStreamInferResponse response;
  while (stream->Read(&response)) ids.insert(response.infer_response().id());
  writer.get();
  EXPECT_EQ(ids.size(), static_cast<std::size_t>(kRequests));
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(GrpcServerTest, ACancelledStreamEnds) {
  scheduler_.hold();
  grpc::ClientContext context;
  auto stream = stub_->ModelStreamInfer(&context);
  ASSERT_TRUE(stream->Write(request_of("a")));
  scheduler_.wait_until_held(1);
  context.TryCancel();
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::CANCELLED);
  EXPECT_TRUE(server_->drain(soon()));
  scheduler_.release();
}

TEST_F(GrpcServerTest, StopsGracefully) {
  scheduler_.hold();
  grpc::ClientContext stream_context;
  auto stream = stub_->ModelStreamInfer(&stream_context);
  ASSERT_TRUE(stream->Write(request_of("s")));
  auto call = std::async(std::launch::async, [&] { return infer(request_of("1")).error_code(); });
  scheduler_.wait_until_held(2);
  server_->stop_accepting();
  EXPECT_EQ(infer(request_of("2")).error_code(), grpc::StatusCode::UNAVAILABLE);
  auto drained = std::async(std::launch::async, [this] { return server_->drain(soon()); });
  scheduler_.release();
  EXPECT_EQ(call.get(), grpc::StatusCode::OK);
  ModelStreamInferResponse response;
  EXPECT_TRUE(stream->Read(&response));
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_TRUE(drained.get());
}

TEST_F(GrpcServerTest, DrainCutsAtTheDeadline) {
  scheduler_.hold();
  auto call = std::async(std::launch::async, [&] { return infer(request_of("1")).error_code(); });
  scheduler_.wait_until_held(1);
  server_->stop_accepting();
  EXPECT_FALSE(server_->drain(clock_.now()));
  EXPECT_NE(call.get(), grpc::StatusCode::OK);
  scheduler_.release();
}

TEST_F(GrpcServerTest, AddressesThatCannotBeServed) {
  const auto start_at = [&](const std::string& address) {
    return start_grpc(address, clock_, repository_, limits_).status();
  };
  EXPECT_THAT(std::string(start_at(server_->address()).message()), HasSubstr("in use"));
  EXPECT_THAT(std::string(start_at("nonsense").message()), HasSubstr("not an address"));
}

}  // namespace
}  // namespace tachostat::serve
