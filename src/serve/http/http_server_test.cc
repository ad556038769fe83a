#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <future>
#include <nlohmann/json.hpp>
#include <random>

#include "base/status.h"
#include "serve/fake_scheduler.h"
#include "serve/http/compression.h"
#include "serve/serve.h"

namespace tachostat::serve {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using nlohmann::json;
using ::testing::HasSubstr;

using Response = http::response<http::string_body>;

// A client that sends exactly the bytes it is given.
class Client {
 public:
  explicit Client(const std::string& address) {
    const std::size_t colon = address.rfind(':');
    socket_.connect({asio::ip::make_address(address.substr(0, colon)),
                     static_cast<unsigned short>(std::stoi(address.substr(colon + 1)))});
  }

  // Errors are no concern: a server that refuses may close before all is sent.
  void send(std::string_view bytes) {
    boost::system::error_code ignored;
    asio::write(socket_, asio::buffer(bytes), ignored);
  }
  // Status 0: the connection ended first.
  Response receive(bool is_head = false) {
    http::response_parser<http::string_body> parser;
    parser.skip(is_head);
    parser.body_limit(boost::none);
    boost::system::error_code error;
    http::read(socket_, buffer_, parser, error);
    Response response = parser.release();
    if (error) response.result(0u);
    return response;
  }
  Response ask(std::string_view bytes) {
    send(bytes);
    return receive();
  }
  bool closed() {
    char byte = 0;
    boost::system::error_code error;
    socket_.read_some(asio::buffer(&byte, 1), error);
    return static_cast<bool>(error);
  }
  void finish_sending() { socket_.shutdown(tcp::socket::shutdown_send); }

 private:
  asio::io_context context_;
  tcp::socket socket_{context_};
  boost::beast::flat_buffer buffer_;
};

std::string get(std::string_view path) {
  return fmt::format("GET {} HTTP/1.1\r\nHost: a\r\n\r\n", path);
}

std::string post(std::string_view path, std::string_view body, std::string_view headers = "") {
  return fmt::format("POST {} HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n{}\r\n{}", path,
                     body.size(), headers, body);
}

constexpr std::string_view kInfer = "/v2/models/echo/infer";
constexpr std::string_view kTwo =
    R"({"id":"42","inputs":[{"name":"x","datatype":"FP32","shape":[2],"data":[1,2.5]}]})";

class HttpServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    repository_.add({.name = "echo",
                     .platform = "fake",
                     .graph = echo_graph(),
                     .scheduler = &scheduler_,
                     .on_wired = [this](const Wired& wired) {
                       ++wired_;
                       if (wired.text) ++text_;
                     }});
    repository_.set_ready(true);
    limits_.max_body = 100'000;
    start({});
  }
  void TearDown() override { scheduler_.release(); }

  void start(std::vector<Route> routes) {
    server_.reset();
    auto server =
        start_http("127.0.0.1:0", clock_, repository_, metrics_, std::move(routes), limits_);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }
  Response ask(std::string_view bytes) { return Client(server_->address()).ask(bytes); }
  base::Time soon() { return clock_.now() + std::chrono::seconds(30); }

  std::atomic<int> wired_ = 0;  // answered requests that were told of, and those in text
  std::atomic<int> text_ = 0;
  base::ManualClock clock_;
  Repository repository_;
  Metrics metrics_{repository_};
  FakeScheduler scheduler_{echo_graph()};
  Limits limits_;
  std::unique_ptr<Server> server_;
};

TEST_F(HttpServerTest, TellsOfAnsweredRequests) {
  EXPECT_EQ(ask(post(kInfer, kTwo)).result_int(), 200u);
  EXPECT_EQ(wired_, 1);
  EXPECT_EQ(text_, 1);
  EXPECT_EQ(ask(post(kInfer, "{}")).result_int(), 400u);
  EXPECT_EQ(wired_, 1);
}

TEST_F(HttpServerTest, DescribesServerAndModels) {
  EXPECT_EQ(json::parse(ask(get("/v2")).body())["name"], "tachostat");
  EXPECT_EQ(ask(get("/v2/health/live")).result_int(), 200u);
  EXPECT_EQ(ask(get("/v2/health/ready")).result_int(), 200u);
  EXPECT_EQ(ask(get("/v2/models/echo/ready")).result_int(), 200u);
  const json metadata = json::parse(ask(get("/v2/models/echo/versions/1")).body());
  EXPECT_EQ(metadata["inputs"], json::parse(R"([{"name":"x","datatype":"FP32","shape":[-1]}])"));
  EXPECT_EQ(json::parse(ask(get("/v2/models/echo/config")).body())["input"][0]["data_type"],
            "TYPE_FP32");
  EXPECT_EQ(json::parse(ask(post("/v2/repository/index", "")).body())[0]["state"], "READY");
  repository_.set_ready(false);
  EXPECT_EQ(ask(get("/v2/health/ready")).result_int(), 503u);
  EXPECT_EQ(ask(get("/v2/health/live")).result_int(), 200u);
  EXPECT_EQ(json::parse(ask(post("/v2/repository/index", R"({"ready":true})")).body()).size(), 0u);
}

TEST_F(HttpServerTest, InfersFromJson) {
  const Response response = ask(post(kInfer, kTwo));
  ASSERT_EQ(response.result_int(), 200u) << response.body();
  EXPECT_EQ(response[http::field::content_type], "application/json");
  EXPECT_EQ(json::parse(response.body()), json::parse(R"({"model_name":"echo","model_version":"1",
      "id":"42","outputs":[{"name":"y","datatype":"FP32","shape":[2],"data":[1,2.5]}]})"));
  const json statistics = json::parse(ask(get("/v2/models/echo/stats")).body())["model_stats"][0];
  EXPECT_EQ(statistics["inference_count"], 1);
  EXPECT_EQ(statistics["inference_stats"]["success"]["ns"], 3000);
  EXPECT_EQ(statistics["last_inference"], 1'000'000);
  EXPECT_EQ(json::parse(ask(get("/v2/models/stats")).body())["model_stats"].size(), 1u);
  EXPECT_THAT(ask(get("/metrics")).body(), HasSubstr("nv_inference_count{model=\"echo\""));
}

TEST_F(HttpServerTest, InfersFromBinaryToBinary) {
  const std::string head =
      R"({"inputs":[{"name":"x","datatype":"FP32","shape":[2],"parameters":{"binary_data_size":8}}],)"
      R"("parameters":{"binary_data_output":true}})";
  const std::string tensor("\0\0\x80\x3f\0\0\0\x40", 8);
  const Response response = ask(post(
      kInfer, head + tensor, fmt::format("Inference-Header-Content-Length: {}\r\n", head.size())));
  ASSERT_EQ(response.result_int(), 200u) << response.body();
  const std::size_t size = std::stoul(std::string(response["Inference-Header-Content-Length"]));
  EXPECT_EQ(response.body().substr(size), tensor);
  EXPECT_EQ(json::parse(response.body().substr(0, size))["outputs"][0]["parameters"],
            json::parse(R"({"binary_data_size":8})"));
  EXPECT_EQ(ask(post(kInfer, head, "Inference-Header-Content-Length: 1e3\r\n")).result_int(), 400u);
}

TEST_F(HttpServerTest, KeepsTheConnectionAndAnswersPipelinedRequestsInOrder) {
  Client client(server_->address());
  EXPECT_EQ(client.ask(post(kInfer, kTwo)).result_int(), 200u);
  client.send(get("/v2/health/live") + post(kInfer, kTwo) + get("/nope") + post(kInfer, kTwo));
  EXPECT_EQ(client.receive().body(), "{\"live\":true}");
  EXPECT_THAT(client.receive().body(), HasSubstr("\"42\""));
  EXPECT_EQ(client.receive().result_int(), 404u);
  EXPECT_THAT(client.receive().body(), HasSubstr("\"42\""));
  EXPECT_EQ(client.ask("GET /v2 HTTP/1.1\r\nConnection: close\r\n\r\n").result_int(), 200u);
  EXPECT_TRUE(client.closed());
}

TEST_F(HttpServerTest, Http10ClosesUnlessAskedNotTo) {
  Client once(server_->address());
  EXPECT_EQ(once.ask("GET /v2 HTTP/1.0\r\n\r\n").result_int(), 200u);
  EXPECT_TRUE(once.closed());
  Client kept(server_->address());
  EXPECT_EQ(kept.ask("GET /v2 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").result_int(), 200u);
  EXPECT_EQ(kept.ask("GET /v2 HTTP/1.0\r\n\r\n").result_int(), 200u);
}

TEST_F(HttpServerTest, TakesChunkedBodies) {
  const std::string_view text = kTwo;
  std::string request =
      fmt::format("POST {} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", kInfer);
  for (const std::string_view part : {text.substr(0, 10), text.substr(10)}) {
    request += fmt::format("{:x}\r\n{}\r\n", part.size(), part);
  }
  Client client(server_->address());
  EXPECT_EQ(client.ask(request + "0\r\n\r\n").result_int(), 200u);
  // A following request proves that the body's end was found.
  EXPECT_EQ(client.ask(get("/v2")).result_int(), 200u);
}

TEST_F(HttpServerTest, ATooLargeBodyIsRefusedUnread) {
  Client client(server_->address());
  const Response response =
      client.ask(fmt::format("POST {} HTTP/1.1\r\nContent-Length: 9999999999\r\n\r\n", kInfer));
  EXPECT_EQ(response.result_int(), 413u);
  EXPECT_THAT(json::parse(response.body())["error"].get<std::string>(), HasSubstr("100000"));
  EXPECT_EQ(response[http::field::connection], "close");
  client.finish_sending();
  EXPECT_TRUE(client.closed());
}

TEST_F(HttpServerTest, ARefusedClientThatGoesOnSendingStillGetsItsAnswer) {
  Client client(server_->address());
  client.send(fmt::format("POST {} HTTP/1.1\r\nContent-Length: 5000000\r\n\r\n", kInfer));
  client.send(std::string(5'000'000, 'x'));
  EXPECT_EQ(client.receive().result_int(), 413u);
}

TEST_F(HttpServerTest, ATooLargeChunkedBodyIsRefused) {
  Client client(server_->address());
  client.send(fmt::format("POST {} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", kInfer));
  const std::string chunk = fmt::format("{:x}\r\n{}\r\n", 60'000, std::string(60'000, 'x'));
  client.send(chunk + chunk);
  EXPECT_EQ(client.receive().result_int(), 413u);
}

TEST_F(HttpServerTest, ExpectContinueIsAnswered) {
  Client client(server_->address());
  client.send(fmt::format("POST {} HTTP/1.1\r\nContent-Length: {}\r\nExpect: 100-continue\r\n\r\n",
                          kInfer, kTwo.size()));
  EXPECT_EQ(client.receive().result_int(), 100u);
  EXPECT_EQ(client.ask(kTwo).result_int(), 200u);
  EXPECT_EQ(ask(fmt::format("POST {} HTTP/1.1\r\nContent-Length: 9\r\nExpect: tea\r\n\r\n", kInfer))
                .result_int(),
            417u);
}

TEST_F(HttpServerTest, WhatIsNotHttpGetsAnErrorAndAnEnd) {
  const std::vector<std::pair<std::string, unsigned>> requests = {
      {"hello\r\n\r\n", 400},
      {"GET /v2 HTTP/3.7\r\n\r\n", 505},
      {"GET /v2 HTTP/1.1\r\nbad header\r\n\r\n", 400},
      {"POST /v2 HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400},
      {"POST /v2 HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400},
      {"POST /v2 HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       400},
      {"POST /v2 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n", 400},
      {"POST /v2 HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 501},
      {"GET /v2 HTTP/1.1\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n", 431},
      {std::string(200, '\0'), 400},
  };
  for (const auto& [bytes, status] : requests) {
    Client client(server_->address());
    const Response response = client.ask(bytes);
    EXPECT_EQ(response.result_int(), status) << bytes.substr(0, 80);
    EXPECT_TRUE(json::accept(response.body())) << response.body();
    client.finish_sending();
    EXPECT_TRUE(client.closed());
  }
  EXPECT_EQ(ask(get("/v2")).result_int(), 200u);
}

TEST_F(HttpServerTest, SurvivesMutatedRequests) {
  std::mt19937 random(7);
  const std::string whole = post(kInfer, kTwo, "Accept-Encoding: gzip\r\nExpect: 100-continue\r\n");
  for (int round = 0; round < 150; ++round) {
    std::string changed = whole;
    for (unsigned i = 0, n = 1 + random() % 5; i < n; ++i) {
      changed[random() % changed.size()] = static_cast<char>(random());
    }
    Client client(server_->address());
    client.send(changed.substr(0, random() % (changed.size() + 1)));
    client.finish_sending();
    client.receive();
  }
  EXPECT_EQ(ask(post(kInfer, kTwo)).result_int(), 200u);
}

TEST_F(HttpServerTest, UnknownPathsAndMethods) {
  EXPECT_EQ(ask(get("/")).result_int(), 404u);
  EXPECT_EQ(ask(get("/v2/models/nope")).result_int(), 404u);
  EXPECT_EQ(ask(get("/v2/models/echo/versions/9")).result_int(), 404u);
  EXPECT_EQ(ask(post("/v2/models/nope/infer", kTwo)).result_int(), 404u);
  EXPECT_EQ(ask(get("/%zz")).result_int(), 400u);
  const Response wrong = ask(get(kInfer));
  EXPECT_EQ(wrong.result_int(), 405u);
  EXPECT_EQ(wrong[http::field::allow], "POST");
  Client client(server_->address());
  client.send("HEAD /v2 HTTP/1.1\r\n\r\n");
  const Response head = client.receive(true);
  EXPECT_EQ(head.result_int(), 200u);
  EXPECT_EQ(head.body(), "");
  EXPECT_EQ(client.ask(get("/v2")).result_int(), 200u);
}

TEST_F(HttpServerTest, SchedulersErrorsBecomeStatuses) {
  const std::vector<std::pair<absl::Status, unsigned>> errors = {
      {absl::InvalidArgumentError("a"), 400},   {absl::ResourceExhaustedError("b"), 429},
      {absl::UnavailableError("c"), 503},       {absl::DeadlineExceededError("d"), 504},
      {absl::InternalError("e \"\n\xff"), 500}, {absl::UnimplementedError("f"), 501}};
  for (const auto& [error, status] : errors) {
    scheduler_.fail_with(error);
    const Response response = ask(post(kInfer, kTwo));
    EXPECT_EQ(response.result_int(), status);
    EXPECT_THAT(json::parse(response.body())["error"].get<std::string>(),
                HasSubstr(std::string(error.message()).substr(0, 1)));
  }
}

TEST_F(HttpServerTest, TimeoutBecomesADeadline) {
  const Response response =
      ask(post(kInfer, R"({"parameters":{"timeout":2000},"inputs":[{"name":"x","datatype":"FP32",)"
                       R"("shape":[1],"data":[1]}]})"));
  EXPECT_EQ(response.result_int(), 200u);
  EXPECT_EQ(scheduler_.last_deadline(), clock_.now() + std::chrono::milliseconds(2));
  ask(post(kInfer, kTwo));
  EXPECT_EQ(scheduler_.last_deadline(), base::Time::max());
}

TEST_F(HttpServerTest, CompressesAndDecompresses) {
  const auto zipped = compress({std::as_bytes(std::span(kTwo))}, Coding::kGzip);
  EXPECT_EQ(ask(post(kInfer, *zipped, "Content-Encoding: gzip\r\n")).result_int(), 200u);
  EXPECT_EQ(ask(post(kInfer, kTwo, "Content-Encoding: gzip\r\n")).result_int(), 400u);
  EXPECT_EQ(ask(post(kInfer, kTwo, "Content-Encoding: br\r\n")).result_int(), 415u);
  const std::string zeros(10'000'000, ' ');
  const auto bomb = compress({std::as_bytes(std::span(zeros))}, Coding::kGzip);
  EXPECT_EQ(ask(post(kInfer, *bomb, "Content-Encoding: gzip\r\n")).result_int(), 413u);
  const Response metrics = ask("GET /metrics HTTP/1.1\r\nAccept-Encoding: gzip, deflate\r\n\r\n");
  ASSERT_EQ(metrics[http::field::content_encoding], "gzip");
  EXPECT_THAT(*decompress(metrics.body(), 1 << 20), HasSubstr("nv_inference_count"));
}

TEST_F(HttpServerTest, ServesTheRoutesItIsGiven) {
  start({{"PUT", "/t/{name}/targets",
          [](const PageRequest& request) -> absl::StatusOr<Page> {
            return Page{
                .body = request.parameters.at("name") + request.query.at("q") + request.body,
                .content_type = "text/plain"};
          }},
         {"GET", "/t/fails",
          [](const PageRequest&) -> absl::StatusOr<Page> { return base::unavailable("not yet"); }},
         {"GET", "/t/throws", [](const PageRequest& request) -> absl::StatusOr<Page> {
            return Page{.body = request.query.at("missing")};
          }}});
  Client client(server_->address());
  const Response page =
      client.ask("PUT /t/a%20b/targets?q=1 HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi");
  EXPECT_EQ(page.body(), "a b1hi");
  EXPECT_EQ(page[http::field::content_type], "text/plain");
  EXPECT_EQ(client.ask(get("/t/fails")).result_int(), 503u);
  EXPECT_EQ(client.ask(get("/t/throws")).result_int(), 500u);
  EXPECT_EQ(client.ask(get("/v2")).result_int(), 200u);
}

TEST_F(HttpServerTest, AnIdleConnectionIsClosed) {
  limits_.idle_timeout = std::chrono::milliseconds(20);
  start({});
  Client silent(server_->address());
  EXPECT_TRUE(silent.closed());
  Client half(server_->address());
  half.send("GET /v2 HT");
  EXPECT_TRUE(half.closed());
  Client body(server_->address());
  body.send("POST /v2 HTTP/1.1\r\nContent-Length: 10\r\n\r\n1234");
  EXPECT_TRUE(body.closed());
}

TEST_F(HttpServerTest, StopsGracefully) {
  scheduler_.hold();
  Client idle(server_->address());
  ASSERT_EQ(idle.ask(get("/v2")).result_int(), 200u);
  Client busy(server_->address());
  busy.send(post(kInfer, kTwo));
  scheduler_.wait_until_held(1);
  const std::string address = server_->address();
  server_->stop_accepting();
  EXPECT_TRUE(idle.closed());
  EXPECT_THROW(Client{address}, boost::system::system_error);
  scheduler_.release();
  EXPECT_EQ(busy.receive().result_int(), 200u);
  EXPECT_TRUE(busy.closed());
}

TEST_F(HttpServerTest, DrainWaitsForWhatWasAccepted) {
  scheduler_.hold();
  Client busy(server_->address());
  busy.send(post(kInfer, kTwo));
  scheduler_.wait_until_held(1);
  server_->stop_accepting();
  auto drained = std::async(std::launch::async, [this] { return server_->drain(soon()); });
  scheduler_.release();
  const Response response = busy.receive();
  EXPECT_EQ(response.result_int(), 200u);
  EXPECT_EQ(response[http::field::connection], "close");
  EXPECT_TRUE(drained.get());
}

TEST_F(HttpServerTest, DrainCutsAtTheDeadline) {
  scheduler_.hold();
  Client busy(server_->address());
  busy.send(post(kInfer, kTwo));
  scheduler_.wait_until_held(1);
  server_->stop_accepting();
  EXPECT_FALSE(server_->drain(clock_.now()));
  EXPECT_TRUE(busy.closed());
  scheduler_.release();
}

TEST_F(HttpServerTest, AClientThatLeavesDoesNoHarm) {
  scheduler_.hold();
  {
    Client leaving(server_->address());
    leaving.send(post(kInfer, kTwo));
    scheduler_.wait_until_held(1);
  }
  scheduler_.release();
  EXPECT_EQ(ask(post(kInfer, kTwo)).result_int(), 200u);
}

TEST_F(HttpServerTest, ManyClientsAtOnce) {
  std::vector<std::future<int>> clients;
  for (int i = 0; i < 8; ++i) {
    clients.push_back(std::async(std::launch::async, [this] {
      Client client(server_->address());
      int good = 0;
      for (int n = 0; n < 50; ++n) good += client.ask(post(kInfer, kTwo)).result_int() == 200;
      return good;
    }));
  }
  for (auto& client : clients) EXPECT_EQ(client.get(), 50);
}

TEST_F(HttpServerTest, AddressesThatCannotBeServed) {
  const auto start_at = [&](const std::string& address) {
    return start_http(address, clock_, repository_, metrics_, {}, limits_).status();
  };
  EXPECT_THAT(std::string(start_at(server_->address()).message()), HasSubstr("in use"));
  for (const char* bad : {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:99999", "127.0.0.1:http", ":80",
                          "::1:80", "[::1:80", "300.1.1.1:80"}) {
    const absl::Status status = start_at(bad);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << bad;
    EXPECT_THAT(std::string(status.message()), HasSubstr(bad));
  }
}

}  // namespace
}  // namespace tachostat::serve
