#include "base/http_client.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include "base/status.h"
#include "base/units.h"

namespace tachostat::base {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::use_awaitable;

asio::awaitable<HttpReply> exchange(const Url& url, const HttpRequest& request) {
  const auto executor = co_await asio::this_coro::executor;
  asio::ip::tcp::resolver resolver(executor);
  const auto addresses = co_await resolver.async_resolve(url.host, url.port, use_awaitable);
  beast::tcp_stream stream(executor);
  stream.expires_after(request.timeout);
  co_await stream.async_connect(addresses, use_awaitable);
  http::request<http::string_body> message(http::string_to_verb(request.method), url.path, 11);
  message.set(http::field::host, url.host + ":" + url.port);
  message.set(http::field::user_agent, "tachostat");
  message.set(http::field::connection, "close");
  if (!request.body.empty()) message.set(http::field::content_type, request.content_type);
  message.body() = request.body;
  message.prepare_payload();
  co_await http::async_write(stream, message, use_awaitable);
  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(request.max_answer);
  co_await http::async_read(stream, buffer, parser, use_awaitable);
  co_return HttpReply{.status = static_cast<int>(parser.get().result_int()),
                      .body = std::move(parser.get().body())};
}

}  // namespace

absl::StatusOr<Url> parse_url(std::string_view text) {
  const auto wrong = [&] {
    return invalid_argument("'{}': expected http://HOST[:PORT][/PATH], e.g. http://127.0.0.1:8000",
                            text);
  };
  std::string_view rest = text;
  if (rest.starts_with("https://")) {
    return invalid_argument("'{}': https is not spoken; use http, e.g. through a local proxy",
                            text);
  }
  if (rest.starts_with("http://")) rest.remove_prefix(7);
  if (rest.empty() || rest.find_first_of(" \r\n\t") != std::string_view::npos) return wrong();
  const std::size_t slash = rest.find('/');
  std::string_view authority = rest.substr(0, slash);
  Url url{.path = slash == std::string_view::npos ? "/" : std::string(rest.substr(slash))};
  if (authority.starts_with('[')) {  // an IPv6 address
    const std::size_t close = authority.find(']');
    if (close == std::string_view::npos) return wrong();
    url.host = std::string(authority.substr(1, close - 1));
    authority.remove_prefix(close + 1);
    if (!authority.empty() && authority.front() != ':') return wrong();
    url.port = authority.empty() ? "80" : std::string(authority.substr(1));
  } else {
    const std::size_t colon = authority.rfind(':');
    url.host = std::string(authority.substr(0, colon));
    url.port = colon == std::string_view::npos ? "80" : std::string(authority.substr(colon + 1));
  }
  const bool digits = !url.port.empty() && url.port.size() <= 5 &&
                      url.port.find_first_not_of("0123456789") == std::string::npos;
  if (url.host.empty() || !digits) return wrong();
  return url;
}

absl::StatusOr<HttpReply> send_http(const Url& url, const HttpRequest& request) {
  asio::io_context context(1);
  absl::StatusOr<HttpReply> result = unavailable("nothing was sent");
  asio::co_spawn(
      context, exchange(url, request), [&](const std::exception_ptr& error, HttpReply reply) {
        if (!error) {
          result = std::move(reply);
          return;
        }
        try {
          std::rethrow_exception(error);
        } catch (const boost::system::system_error& failure) {
          if (failure.code() == beast::error::timeout) {
            result = absl::DeadlineExceededError(fmt::format(
                "{}:{}: no answer in {}", url.host, url.port, format_duration(request.timeout)));
          } else {
            result = unavailable("{}:{}: {}", url.host, url.port, failure.code().message());
          }
        } catch (const std::exception& failure) {
          result = unavailable("{}:{}: {}", url.host, url.port, failure.what());
        }
      });
  context.run();
  return result;
}

}  // namespace tachostat::base
