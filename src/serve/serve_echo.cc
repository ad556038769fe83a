// A server of echo models, one per data type, to try clients on by hand and from end-to-end tests:
//   serve_echo HTTP_ADDRESS GRPC_ADDRESS
#include <signal.h>

#include <cstdio>
#include <memory>
#include <vector>

#include "base/log.h"
#include "base/status.h"
#include "serve/fake_scheduler.h"
#include "serve/serve.h"

namespace tachostat::serve {
namespace {

int run(const char* http, const char* grpc) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  base::SystemClock clock;
  Repository repository;
  std::vector<std::unique_ptr<FakeScheduler>> schedulers;
  using model::DataType;
  for (const DataType type :
       {DataType::kBool, DataType::kI8, DataType::kU8, DataType::kI16, DataType::kU16,
        DataType::kI32, DataType::kU32, DataType::kI64, DataType::kU64, DataType::kF16,
        DataType::kF32, DataType::kF64, DataType::kString}) {
    schedulers.push_back(std::make_unique<FakeScheduler>(echo_graph(type)));
    repository.add({.name = "echo_" + std::string(model::protocol_name_of(type)),
                    .platform = "fake",
                    .graph = echo_graph(type),
                    .scheduler = schedulers.back().get()});
  }
  repository.set_ready(true);
  const Metrics metrics(repository);
  auto http_server = start_http(http, clock, repository, metrics, {}, {});
  auto grpc_server = start_grpc(grpc, clock, repository, {});
  for (const absl::Status& status : {http_server.status(), grpc_server.status()}) {
    if (status.ok()) continue;
    fmt::print(stderr, "{}\n", status.message());
    return 2;
  }
  fmt::print("{} {}\n", (*http_server)->address(), (*grpc_server)->address());
  std::fflush(stdout);
  int signal = 0;
  sigwait(&signals, &signal);
  bool all = true;
  for (const auto& server : {http_server->get(), grpc_server->get()}) server->stop_accepting();
  for (const auto& server : {http_server->get(), grpc_server->get()}) {
    all = server->drain(clock.now() + std::chrono::seconds(5)) && all;
  }
  return all ? 0 : 1;
}

}  // namespace
}  // namespace tachostat::serve

int main(int argc, char** argv) {
  if (argc != 3) {
    fmt::print(stderr, "usage: serve_echo HTTP_ADDRESS GRPC_ADDRESS\n");
    return 2;
  }
  return tachostat::serve::run(argv[1], argv[2]);
}
