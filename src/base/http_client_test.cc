#include "base/http_client.h"

#include <gtest/gtest.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>
#include <thread>

namespace tachostat::base {
namespace {

namespace asio = boost::asio;

// Answers one connection on a port that the system chose.
class OneAnswer {
 public:
  explicit OneAnswer(std::string answer)
      : acceptor_(context_, {asio::ip::address_v4::loopback(), 0}),
        thread_([this, answer = std::move(answer)] {
          asio::ip::tcp::socket socket = acceptor_.accept();
          asio::streambuf buffer;
          asio::read_until(socket, buffer, "\r\n\r\n");
          seen_.assign(asio::buffers_begin(buffer.data()), asio::buffers_end(buffer.data()));
          boost::system::error_code ignored;
          asio::write(socket, asio::buffer(answer), ignored);
        }) {}

  Url url(std::string path = "/") const {
    return {"127.0.0.1", std::to_string(acceptor_.local_endpoint().port()), std::move(path)};
  }
  // After the answer.
  const std::string& seen() {
    thread_.join();
    return seen_;
  }

 private:
  asio::io_context context_;
  asio::ip::tcp::acceptor acceptor_;
  std::string seen_;
  std::jthread thread_;
};

TEST(ParseUrl, TakesWhatPeopleWrite) {
  const Url full = *parse_url("http://host:8000/v2?x=1");
  EXPECT_EQ(full.host, "host");
  EXPECT_EQ(full.port, "8000");
  EXPECT_EQ(full.path, "/v2?x=1");
  EXPECT_EQ(parse_url("localhost")->port, "80");
  EXPECT_EQ(parse_url("127.0.0.1:9")->path, "/");
  EXPECT_EQ(parse_url("http://[::1]:9/a")->host, "::1");
}

TEST(ParseUrl, RefusesWhatIsNone) {
  for (const char* text : {"", "http://", "http://:80", "host:port", "a b", "https://host/",
                           "http://[::1", "host:123456", "host:"}) {
    EXPECT_EQ(parse_url(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

TEST(SendHttp, GivesStatusAndBodyWhateverTheStatus) {
  OneAnswer server("HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nnone\n");
  const auto reply = send_http(server.url("/x"), {.method = "PUT", .body = "{}"});
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->status, 404);
  EXPECT_EQ(reply->body, "none\n");
  const std::string& seen = server.seen();
  EXPECT_NE(seen.find("PUT /x HTTP/1.1"), std::string::npos);
  EXPECT_NE(seen.find("Content-Length: 2"), std::string::npos);
}

TEST(SendHttp, RefusesAnAnswerThatIsTooLong) {
  OneAnswer server("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n" + std::string(50, 'x'));
  EXPECT_FALSE(send_http(server.url(), {.max_answer = 10}).ok());
}

TEST(SendHttp, SaysThatNobodyListens) {
  asio::io_context context;
  asio::ip::tcp::acceptor free(context, {asio::ip::address_v4::loopback(), 0});
  const Url url{"127.0.0.1", std::to_string(free.local_endpoint().port()), "/"};
  free.close();
  const auto reply = send_http(url, {});
  EXPECT_EQ(reply.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_NE(reply.status().ToString().find(url.port), std::string::npos);
}

}  // namespace
}  // namespace tachostat::base
