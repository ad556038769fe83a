// "host:port" to listen on, for both servers.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <string>

#include "absl/status/statusor.h"

namespace tachostat::serve {

// InvalidArgument names the address and what is wrong with it. Host names are looked up.
absl::StatusOr<boost::asio::ip::tcp::endpoint> parse_listen_address(const std::string& address);
// "127.0.0.1:8000", "[::1]:8000".
std::string to_string(const boost::asio::ip::tcp::endpoint& endpoint);
// What a failed bind or listen means.
absl::Status listen_error(const std::string& address, const boost::system::error_code& error);
// Binds, listens and closes again: why gRPC, which only logs it, would fail.
absl::Status check_can_listen(const std::string& address,
                              const boost::asio::ip::tcp::endpoint& endpoint);

}  // namespace tachostat::serve
