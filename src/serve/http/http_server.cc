// Listens, keeps the set of connections, and stops them in order.
//
// Threads: start_http()'s caller owns the server; the sockets live on kThreads io threads, each
// connection on a strand of its own. The destructor waits for answers that the scheduler still
// owes, since they would come back to sockets that are gone.
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <set>

#include "base/log.h"
#include "base/status.h"
#include "base/thread.h"
#include "serve/http/connection.h"
#include "serve/http/handler.h"
#include "serve/listen_address.h"
#include "serve/serve.h"

namespace tachostat::serve {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

// Two, so that one large JSON body does not hold up everyone; the cores belong to the engine.
constexpr int kThreads = 2;
constexpr auto kNoThrow = asio::as_tuple(asio::use_awaitable);

class HttpServer final : public Server {
 public:
  HttpServer(base::Clock& clock, std::unique_ptr<HttpHandler> handler, Limits limits)
      : clock_(clock),
        handler_(std::move(handler)),
        limits_(limits),
        context_(kThreads),
        work_(asio::make_work_guard(context_)),
        acceptor_(asio::make_strand(context_)) {}

  ~HttpServer() override {
    stop_accepting();
    cut_connections();
    {
      base::MutexLock lock(mutex_);
      while (!connections_.empty()) changed_.wait(mutex_);
    }
    work_.reset();  // the threads end when the last handler has run
  }

  absl::Status start(const std::string& address) {
    TS_ASSIGN_OR_RETURN(const tcp::endpoint endpoint, parse_listen_address(address));
    boost::system::error_code error;
    acceptor_.open(endpoint.protocol(), error);
    // A port whose last connections still linger may be taken; one that is listened on may not.
    if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (error) return listen_error(address, error);
    address_ = to_string(acceptor_.local_endpoint(error));
    asio::co_spawn(acceptor_.get_executor(), accept(), [](const std::exception_ptr&) {});
    for (int i = 0; i < kThreads; ++i) {
      threads_.push_back(base::start_thread(fmt::format("http-{}", i),
                                            [this](const std::stop_token&) { context_.run(); }));
    }
    return absl::OkStatus();
  }

  std::string address() const override { return address_; }

  void stop_accepting() override {
    if (threads_.empty()) return;
    // On the acceptor's strand, so that no connection is between accepted and known.
    asio::post(acceptor_.get_executor(), asio::use_future([this] {
                 boost::system::error_code ignored;
                 acceptor_.close(ignored);
               }))
        .wait();
    for (const auto& connection : connections()) {
      asio::post(connection->executor(), [connection] { connection->stop_when_idle(); });
    }
  }

  bool drain(base::Time deadline) override {
    const auto until = system_deadline(clock_, deadline);
    bool all = true;
    {
      base::MutexLock lock(mutex_);
      while (all && !connections_.empty()) all = changed_.wait_until(mutex_, until);
      all = connections_.empty();
    }
    if (!all) cut_connections();
    return all;
  }

 private:
  std::vector<std::shared_ptr<Connection>> connections() {
    base::MutexLock lock(mutex_);
    return {connections_.begin(), connections_.end()};
  }

  void cut_connections() {
    for (const auto& connection : connections()) {
      asio::post(connection->executor(), [connection] { connection->cut(); });
    }
  }

  asio::awaitable<void> accept() {
    asio::steady_timer pause(acceptor_.get_executor());
    while (acceptor_.is_open()) {
      const auto strand = asio::make_strand(context_);
      auto [error, socket] = co_await acceptor_.async_accept(strand, kNoThrow);
      if (!acceptor_.is_open()) co_return;
      if (!error) {
        begin(std::move(socket));
      } else if (error != asio::error::connection_aborted) {
        // Out of descriptors, most likely: come back when some connections have ended.
        spdlog::warn("HTTP: cannot accept a connection: {}", error.message());
        pause.expires_after(std::chrono::milliseconds(100));
        co_await pause.async_wait(kNoThrow);
      }
    }
  }

  void begin(tcp::socket socket) {
    auto connection = std::make_shared<Connection>(std::move(socket), *handler_, limits_);
    {
      base::MutexLock lock(mutex_);
      connections_.insert(connection);
    }
    asio::co_spawn(connection->executor(), connection->run(),
                   [this, connection](const std::exception_ptr&) { end(connection); });
  }

  void end(const std::shared_ptr<Connection>& connection) {
    base::MutexLock lock(mutex_);
    connections_.erase(connection);
    changed_.notify_all();
  }

  base::Clock& clock_;
  const std::unique_ptr<HttpHandler> handler_;
  const Limits limits_;
  asio::io_context context_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  tcp::acceptor acceptor_;
  std::string address_;
  base::Mutex mutex_;
  base::CondVar changed_;
  std::set<std::shared_ptr<Connection>> connections_ TS_GUARDED_BY(mutex_);
  std::vector<std::jthread> threads_;  // last: joined before anything they use goes
};

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> start_http(const std::string& address, base::Clock& clock,
                                                   const Repository& repository,
                                                   const Metrics& metrics,
                                                   std::vector<Route> routes, Limits limits) {
  auto handler =
      std::make_unique<HttpHandler>(clock, repository, metrics, std::move(routes), limits.max_body);
  auto server = std::make_unique<HttpServer>(clock, std::move(handler), limits);
  TS_RETURN_IF_ERROR(server->start(address));
  return server;
}

}  // namespace tachostat::serve
