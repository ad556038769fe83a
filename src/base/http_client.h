// One HTTP/1.1 request and its answer, for commands that talk to a running server and for pushing
// to a collector.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/clock.h"

namespace tachostat::base {

struct Url {
  std::string host = {};
  std::string port = {};  // "80" when not given
  std::string path = {};  // with its query; "/" when not given
};
// "http://host:port/path", or without the scheme. InvalidArgument says what was expected; https is
// not spoken.
absl::StatusOr<Url> parse_url(std::string_view text);

struct HttpRequest {
  std::string method = "GET";
  std::string body = {};
  std::string content_type = "application/json";
  Duration timeout = std::chrono::seconds(10);  // for the whole exchange
  std::size_t max_answer = std::size_t{256} << 20;
};
struct HttpReply {
  int status = 0;
  std::string body;
};

// Blocks the caller. Unavailable: no connection, or it broke; DeadlineExceeded: the timeout. Any
// HTTP status is a reply.
absl::StatusOr<HttpReply> send_http(const Url& url, const HttpRequest& request);

}  // namespace tachostat::base
