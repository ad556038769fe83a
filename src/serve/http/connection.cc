#include "serve/http/connection.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/beast/http/string_body.hpp>

#include "base/status.h"

namespace tachostat::serve {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;

constexpr auto kNoThrow = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kBuffer = 64 << 10;
constexpr std::uint32_t kMaxHeader = 16 << 10;
// How long, and for how much, a refused client may go on sending before the connection is closed.
// Closing at once would reset it, and the client would never see the answer.
constexpr base::Duration kLinger = std::chrono::seconds(2);
constexpr std::size_t kMaxLinger = 1u << 30;
// A client that reads slower than this is cut off.
constexpr std::size_t kMinBytesPerSecond = 256 << 10;

std::string text_of(beast::string_view view) { return std::string(view.data(), view.size()); }

// What a parser's error deserves as an answer; nothing when the client just went away.
std::optional<HttpAnswer> answer_to(const error_code& error) {
  if (error == http::error::end_of_stream || error == http::error::partial_message ||
      error.category() != make_error_code(http::error::bad_target).category()) {
    return std::nullopt;
  }
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return error_answer(431, fmt::format("the header is larger than {} bytes", kMaxHeader));
  }
  if (error == http::error::bad_version) return error_answer(505, "expected HTTP/1.1");
  return error_answer(400, fmt::format("not an HTTP request: {}", error.message()));
}

}  // namespace

Connection::Connection(asio::ip::tcp::socket socket, const HttpHandler& handler, Limits limits)
    : stream_(std::move(socket)), handler_(handler), limits_(limits), buffer_(kBuffer) {
  error_code ignored;
  stream_.socket().set_option(asio::ip::tcp::no_delay(true), ignored);
}

void Connection::stop_when_idle() {
  stopping_ = true;
  if (idle_) stream_.close();
}

void Connection::cut() {
  stopping_ = true;
  stream_.close();
}

asio::awaitable<void> Connection::run() {
  while (co_await wait_for_request()) {
    if (!co_await serve_one()) break;
  }
  error_code ignored;
  stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
  stream_.close();
}

asio::awaitable<bool> Connection::wait_for_request() {
  if (buffer_.size() > 0) co_return true;  // pipelined
  if (stopping_) co_return false;
  idle_ = true;
  stream_.expires_after(limits_.idle_timeout);
  const auto [error, size] = co_await stream_.async_read_some(buffer_.prepare(kBuffer), kNoThrow);
  idle_ = false;
  if (error) co_return false;
  buffer_.commit(size);
  co_return true;
}

asio::awaitable<bool> Connection::serve_one() {
  HeaderParser parser;
  parser.header_limit(kMaxHeader);
  parser.body_limit(boost::none);  // ours is checked below, with an answer
  stream_.expires_after(limits_.idle_timeout);
  const auto [error, size] = co_await http::async_read_header(stream_, buffer_, parser, kNoThrow);
  if (error) {
    refusal_ = answer_to(error);
    co_await refuse();
    co_return false;
  }
  HttpRequest request{.method = text_of(parser.get().method_string()),
                      .target = text_of(parser.get().target()),
                      .header_length = text_of(parser.get()["Inference-Header-Content-Length"]),
                      .content_encoding = text_of(parser.get()[http::field::content_encoding]),
                      .accept_encoding = text_of(parser.get()[http::field::accept_encoding]),
                      .body = nullptr};
  const bool wants_more = parser.keep_alive();
  const unsigned version = parser.get().version();
  const bool without_body = request.method == "HEAD";
  request.body = co_await read_body(parser);
  if (!request.body) {
    co_await refuse();
    co_return false;
  }
  stream_.expires_never();  // the scheduler answers in its own time
  const HttpAnswer answer = co_await handler_.handle(request);
  const bool keep_alive = wants_more && (!stopping_ || buffer_.size() > 0);
  const bool written = co_await write(answer, without_body, keep_alive, version);
  co_return written&& keep_alive;
}

asio::awaitable<std::shared_ptr<const Body>> Connection::read_body(HeaderParser& parser) {
  const auto& header = parser.get();
  const std::size_t size = parser.chunked() ? 0 : parser.content_length().value_or(0);
  if (header.count(http::field::transfer_encoding) > 0 &&
      !beast::iequals(header[http::field::transfer_encoding], "chunked")) {
    refusal_ = error_answer(501, "Transfer-Encoding: expected chunked or none");
    co_return nullptr;
  }
  if (size > limits_.max_body) {
    refusal_ = error_answer(
        413, fmt::format("the body has {} bytes, at most {} are taken", size, limits_.max_body));
    co_return nullptr;
  }
  const beast::string_view expect = header[http::field::expect];
  if (!expect.empty() && !beast::iequals(expect, "100-continue")) {
    refusal_ = error_answer(417, "Expect: only 100-continue is known");
    co_return nullptr;
  }
  if (!expect.empty() && (size > 0 || parser.chunked()) && buffer_.size() == 0) {
    constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    const auto [error, written] =
        co_await asio::async_write(stream_, asio::buffer(kContinue), kNoThrow);
    if (error) co_return nullptr;
  }
  if (parser.chunked()) co_return co_await read_chunked(parser);
  co_return co_await read_sized(size);
}

asio::awaitable<std::shared_ptr<const Body>> Connection::read_sized(std::size_t size) {
  const std::shared_ptr<Body> body = Body::Create(size);
  if (!body) {
    refusal_ = error_answer(503, "no memory for the body: try again");
    co_return nullptr;
  }
  // What came with the header first; the rest goes from the socket to its place.
  std::size_t have = std::min(size, buffer_.size());
  if (have > 0) std::memcpy(body->data(), buffer_.data().data(), have);
  buffer_.consume(have);
  while (have < size) {
    stream_.expires_after(limits_.idle_timeout);
    const auto [error, more] =
        co_await stream_.async_read_some(asio::buffer(body->data() + have, size - have), kNoThrow);
    if (error) co_return nullptr;
    have += more;
  }
  co_return body;
}

asio::awaitable<std::shared_ptr<const Body>> Connection::read_chunked(HeaderParser& header) {
  http::request_parser<http::string_body> parser(std::move(header));
  parser.body_limit(limits_.max_body);
  while (!parser.is_done()) {
    stream_.expires_after(limits_.idle_timeout);
    const auto [error, size] = co_await http::async_read_some(stream_, buffer_, parser, kNoThrow);
    if (error == http::error::body_limit) {
      refusal_ = error_answer(
          413, fmt::format("the body has more than the {} bytes that are taken", limits_.max_body));
      co_return nullptr;
    }
    if (error) {
      refusal_ = answer_to(error);
      co_return nullptr;
    }
  }
  co_return Body::copy_of(parser.get().body());
}

asio::awaitable<void> Connection::refuse() {
  if (!refusal_) co_return;
  const bool written = co_await write(*refusal_, false, false, 11);
  if (written) co_await linger();
}

asio::awaitable<bool> Connection::write(const HttpAnswer& answer, bool without_body,
                                        bool keep_alive, unsigned version) {
  std::size_t size = answer.body.size();
  for (const engine::Tensor& tensor : answer.tail) size += tensor.data.size();
  const beast::string_view reason = http::obsolete_reason(http::int_to_status(answer.status));
  const std::string head = fmt::format(
      "HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n{}{}\r\n", answer.status,
      std::string_view(reason.data(), reason.size()), answer.content_type, size, answer.headers,
      !keep_alive     ? "Connection: close\r\n"
      : version == 10 ? "Connection: keep-alive\r\n"
                      : "");
  std::vector<asio::const_buffer> buffers = {asio::buffer(head)};
  if (!without_body) {
    buffers.push_back(asio::buffer(answer.body));
    for (const engine::Tensor& tensor : answer.tail) {
      buffers.emplace_back(tensor.data.data(), tensor.data.size());
    }
  }
  stream_.expires_after(limits_.idle_timeout + std::chrono::seconds(size / kMinBytesPerSecond));
  const auto [error, written] = co_await asio::async_write(stream_, buffers, kNoThrow);
  co_return !error;
}

asio::awaitable<void> Connection::linger() {
  error_code ignored;
  stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  if (stopping_) co_return;
  idle_ = true;  // nothing is owed any more
  stream_.expires_after(std::min<base::Duration>(kLinger, limits_.idle_timeout));
  std::size_t dropped = 0;
  while (dropped < kMaxLinger) {
    buffer_.clear();
    const auto [error, size] = co_await stream_.async_read_some(buffer_.prepare(kBuffer), kNoThrow);
    if (error) break;
    dropped += size;
  }
}

}  // namespace tachostat::serve
