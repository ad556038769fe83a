// The gRPC service and its server. Everything but inference is answered at once, from memory.
#include <grpcpp/grpcpp.h>

#include "base/status.h"
#include "inference.grpc.pb.h"
#include "serve/describe.h"
#include "serve/grpc/calls.h"
#include "serve/listen_address.h"
#include "serve/serve.h"

namespace tachostat::serve {
namespace {

using Rpc = inference::GRPCInferenceService;
// Inference is raw: requests are parsed and answers written here, see answer.h. gRPC's code
// generator makes one template per method.
using ServiceBase = Rpc::WithRawCallbackMethod_ModelInfer<
    Rpc::WithRawCallbackMethod_ModelStreamInfer<Rpc::WithCallbackMethod_ServerLive<
        Rpc::WithCallbackMethod_ServerReady<Rpc::WithCallbackMethod_ModelReady<
            Rpc::WithCallbackMethod_ServerMetadata<Rpc::WithCallbackMethod_ModelMetadata<
                Rpc::WithCallbackMethod_ModelConfig<Rpc::WithCallbackMethod_ModelStatistics<
                    Rpc::WithCallbackMethod_RepositoryIndex<Rpc::Service>>>>>>>>>>;

using Context = grpc::CallbackServerContext;

grpc::ServerUnaryReactor* done(Context* context, const absl::Status& status = absl::OkStatus()) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(to_grpc(status));
  return reactor;
}

void set_ports(
    const std::vector<model::Port>& ports,
    google::protobuf::RepeatedPtrField<inference::ModelMetadataResponse::TensorMetadata>& list) {
  for (const model::Port& port : ports) {
    auto& metadata = *list.Add();
    metadata.set_name(port.name);
    metadata.set_datatype(std::string(model::protocol_name_of(port.type)));
    metadata.mutable_shape()->Add(port.shape.begin(), port.shape.end());
  }
}

template <class Port>
void set_config_port(const model::Port& from, Port& port) {
  inference::DataType type = inference::TYPE_INVALID;
  inference::DataType_Parse(config_type_of(from.type), &type);
  port.set_name(from.name);
  port.set_data_type(type);
  port.mutable_dims()->Add(from.shape.begin(), from.shape.end());
}

void set_duration(std::uint64_t count, std::uint64_t nanoseconds,
                  inference::StatisticDuration& duration) {
  duration.set_count(count);
  duration.set_ns(nanoseconds);
}

void set_statistics(const ServedModel& model, inference::ModelStatistics& out) {
  const schedule::Statistics statistics = model.scheduler->statistics();
  out.set_name(model.name);
  out.set_version(model.version);
  out.set_last_inference(
      static_cast<std::uint64_t>(model.last_inference_ms->load(std::memory_order_relaxed)));
  out.set_inference_count(statistics.succeeded);
  out.set_execution_count(statistics.executions);
  auto& inference = *out.mutable_inference_stats();
  const std::uint64_t answered = statistics.succeeded;
  set_duration(answered, statistics.queue_ns + statistics.compute_ns, *inference.mutable_success());
  set_duration(statistics.failed + statistics.refused_full + statistics.refused_deadline +
                   statistics.expired,
               0, *inference.mutable_fail());
  set_duration(answered, statistics.queue_ns, *inference.mutable_queue());
  set_duration(answered, statistics.compute_ns, *inference.mutable_compute_infer());
}

class Service final : public ServiceBase {
 public:
  explicit Service(const CallSetting& setting)
      : setting_(setting), repository_(setting.repository) {}

 private:
  grpc::ServerUnaryReactor* ModelInfer(Context* context, const grpc::ByteBuffer* request,
                                       grpc::ByteBuffer* response) override {
    return start_call(setting_, *context, *request, response);
  }

  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* ModelStreamInfer(
      Context* context) override {
    return start_stream(setting_, *context);
  }

  grpc::ServerUnaryReactor* ServerLive(Context* context, const inference::ServerLiveRequest*,
                                       inference::ServerLiveResponse* response) override {
    response->set_live(true);
    return done(context);
  }

  grpc::ServerUnaryReactor* ServerReady(Context* context, const inference::ServerReadyRequest*,
                                        inference::ServerReadyResponse* response) override {
    response->set_ready(repository_.ready());
    return done(context);
  }

  grpc::ServerUnaryReactor* ModelReady(Context* context,
                                       const inference::ModelReadyRequest* request,
                                       inference::ModelReadyResponse* response) override {
    const auto model = find_model(repository_, request->name(), request->version());
    response->set_ready(model.ok() && repository_.ready());
    return done(context, absl::IsNotFound(model.status()) ? model.status() : absl::OkStatus());
  }

  grpc::ServerUnaryReactor* ServerMetadata(Context* context,
                                           const inference::ServerMetadataRequest*,
                                           inference::ServerMetadataResponse* response) override {
    response->set_name(std::string(kServerName));
    response->set_version(std::string(server_version()));
    for (std::string& extension : server_extensions()) {
      response->add_extensions(std::move(extension));
    }
    return done(context);
  }

  grpc::ServerUnaryReactor* ModelMetadata(Context* context,
                                          const inference::ModelMetadataRequest* request,
                                          inference::ModelMetadataResponse* response) override {
    const auto model = find_model(repository_, request->name(), request->version());
    if (!model.ok()) return done(context, model.status());
    response->set_name((*model)->name);
    response->add_versions((*model)->version);
    response->set_platform((*model)->platform);
    set_ports((*model)->graph.inputs, *response->mutable_inputs());
    set_ports((*model)->graph.outputs, *response->mutable_outputs());
    return done(context);
  }

  grpc::ServerUnaryReactor* ModelConfig(Context* context,
                                        const inference::ModelConfigRequest* request,
                                        inference::ModelConfigResponse* response) override {
    const auto model = find_model(repository_, request->name(), request->version());
    if (!model.ok()) return done(context, model.status());
    auto& config = *response->mutable_config();
    config.set_name((*model)->name);
    config.set_platform((*model)->platform);
    config.set_backend((*model)->platform);
    for (const model::Port& port : (*model)->graph.inputs) {
      set_config_port(port, *config.add_input());
    }
    for (const model::Port& port : (*model)->graph.outputs) {
      set_config_port(port, *config.add_output());
    }
    return done(context);
  }

  grpc::ServerUnaryReactor* ModelStatistics(Context* context,
                                            const inference::ModelStatisticsRequest* request,
                                            inference::ModelStatisticsResponse* response) override {
    if (request->name().empty()) {
      for (const auto& model : repository_.list()) {
        set_statistics(*model, *response->add_model_stats());
      }
      return done(context);
    }
    const auto model = find_model(repository_, request->name(), request->version());
    if (!model.ok()) return done(context, model.status());
    set_statistics(**model, *response->add_model_stats());
    return done(context);
  }

  grpc::ServerUnaryReactor* RepositoryIndex(Context* context,
                                            const inference::RepositoryIndexRequest* request,
                                            inference::RepositoryIndexResponse* response) override {
    const bool ready = repository_.ready();
    if (request->ready() && !ready) return done(context);
    for (const auto& model : repository_.list()) {
      auto& entry = *response->add_models();
      entry.set_name(model->name);
      entry.set_version(model->version);
      entry.set_state(ready ? "READY" : "UNAVAILABLE");
      if (!ready) entry.set_reason("the server is loading or stopping");
    }
    return done(context);
  }

  const CallSetting setting_;
  const Repository& repository_;
};

class GrpcServer final : public Server {
 public:
  GrpcServer(base::Clock& clock, const Repository& repository)
      : clock_(clock), service_({clock, repository, open_}) {}

  ~GrpcServer() override { shut_down(); }

  absl::Status start(const std::string& address, const Limits& limits) {
    TS_ASSIGN_OR_RETURN(const auto endpoint, parse_listen_address(address));
    TS_RETURN_IF_ERROR(check_can_listen(address, endpoint));
    grpc::ServerBuilder builder;
    int port = 0;
    // Otherwise a second server would silently share the port.
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.AddListeningPort(to_string(endpoint), grpc::InsecureServerCredentials(), &port);
    builder.SetMaxReceiveMessageSize(
        static_cast<int>(std::min<std::size_t>(limits.max_body, INT_MAX)));
    builder.SetMaxSendMessageSize(-1);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    if (!server_ || port == 0) {
      return base::unavailable("cannot listen on {} for gRPC: see the log", address);
    }
    address_ = to_string({endpoint.address(), static_cast<unsigned short>(port)});
    return absl::OkStatus();
  }

  std::string address() const override { return address_; }

  // gRPC has no half stop: until drain() connections are still taken, but their calls are refused.
  void stop_accepting() override { open_.stop(); }

  bool drain(base::Time deadline) override {
    open_.stop();
    const bool all = open_.wait_until_none(system_deadline(clock_, deadline));
    shut_down();
    return all;
  }

 private:
  // Cancels what is left, which its reactors answer at once.
  void shut_down() {
    open_.stop();
    if (server_) server_->Shutdown(std::chrono::system_clock::now() + kFlush);
    server_.reset();
  }

  // For answers that are finished and on their way out.
  static constexpr auto kFlush = std::chrono::milliseconds(100);

  base::Clock& clock_;
  OpenCalls open_;
  Service service_;
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> start_grpc(const std::string& address, base::Clock& clock,
                                                   const Repository& repository, Limits limits) {
  auto server = std::make_unique<GrpcServer>(clock, repository);
  TS_RETURN_IF_ERROR(server->start(address, limits));
  return server;
}

}  // namespace tachostat::serve
