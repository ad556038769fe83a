// One HTTP/1.1 connection: reads requests one after the other, answers each before the next.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <memory>
#include <optional>

#include "serve/http/handler.h"
#include "serve/serve.h"

namespace tachostat::serve {

// Arguments of co_await expressions here are never temporaries that have destructors: g++ 12
// destroys those twice.
//
// Everything but the constructor and executor() runs on the socket's executor, a strand.
class Connection {
 public:
  // The handler must outlive the connection.
  Connection(boost::asio::ip::tcp::socket socket, const HttpHandler& handler, Limits limits);

  boost::asio::any_io_executor executor() { return stream_.get_executor(); }

  // Returns when the connection is closed, by whichever side.
  boost::asio::awaitable<void> run();

  // Answer what was read, then close; an idle connection closes now.
  void stop_when_idle();
  // Close now, whatever is open.
  void cut();

 private:
  using HeaderParser = boost::beast::http::request_parser<boost::beast::http::empty_body>;

  // False: the connection is to be closed.
  boost::asio::awaitable<bool> wait_for_request();
  boost::asio::awaitable<bool> serve_one();
  // The body; or null, with refusal_ set when the client deserves to know.
  boost::asio::awaitable<std::shared_ptr<const Body>> read_body(HeaderParser& parser);
  boost::asio::awaitable<std::shared_ptr<const Body>> read_sized(std::size_t size);
  boost::asio::awaitable<std::shared_ptr<const Body>> read_chunked(HeaderParser& parser);
  // Sends refusal_, if any.
  boost::asio::awaitable<void> refuse();
  // False when it could not be written.
  boost::asio::awaitable<bool> write(const HttpAnswer& answer, bool without_body, bool keep_alive,
                                     unsigned version);
  boost::asio::awaitable<void> linger();

  boost::beast::tcp_stream stream_;
  const HttpHandler& handler_;
  const Limits limits_;
  boost::beast::flat_buffer buffer_;
  std::optional<HttpAnswer> refusal_;
  bool idle_ = false;
  bool stopping_ = false;
};

}  // namespace tachostat::serve
