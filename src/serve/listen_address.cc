#include "serve/listen_address.h"

#include <boost/asio/io_context.hpp>
#include <charconv>
#include <sstream>

#include "base/status.h"

namespace tachostat::serve {

namespace asio = boost::asio;
using asio::ip::tcp;

absl::StatusOr<tcp::endpoint> parse_listen_address(const std::string& address) {
  const auto not_an_address = [&](std::string_view why) {
    return base::invalid_argument(
        "'{}' is not an address to listen on: {}; expected host:port, e.g. 127.0.0.1:8000", address,
        why);
  };
  const std::size_t colon = address.rfind(':');
  if (colon == std::string::npos) return not_an_address("it has no port");
  std::string host = address.substr(0, colon);
  const std::string_view port_text = std::string_view(address).substr(colon + 1);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string::npos) {
    return not_an_address("an IPv6 host needs brackets, as in [::1]:8000");
  }
  unsigned short port = 0;
  const auto [end, bad] =
      std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
  if (bad != std::errc() || end != port_text.data() + port_text.size()) {
    return not_an_address("the port is not a number from 0 to 65535");
  }
  if (host.empty()) return not_an_address("it has no host (0.0.0.0 means every interface)");
  boost::system::error_code error;
  const asio::ip::address literal = asio::ip::make_address(host, error);
  if (!error) return tcp::endpoint(literal, port);
  asio::io_context context;
  tcp::resolver resolver(context);
  const auto found = resolver.resolve(host, "", tcp::resolver::passive, error);
  if (error || found.empty()) return not_an_address("the host is not known");
  // IPv4 first: "localhost" then means the same to every client.
  for (const auto& entry : found) {
    if (entry.endpoint().address().is_v4()) return tcp::endpoint(entry.endpoint().address(), port);
  }
  return tcp::endpoint(found.begin()->endpoint().address(), port);
}

std::string to_string(const tcp::endpoint& endpoint) {
  std::ostringstream out;
  out << endpoint;
  return std::move(out).str();
}

absl::Status listen_error(const std::string& address, const boost::system::error_code& error) {
  if (error == asio::error::address_in_use) {
    return base::unavailable(
        "cannot listen on {}: the port is in use; choose another, or 0 for any", address);
  }
  return base::invalid_argument("cannot listen on {}: {}", address, error.message());
}

absl::Status check_can_listen(const std::string& address, const tcp::endpoint& endpoint) {
  asio::io_context context;
  tcp::acceptor acceptor(context);
  boost::system::error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(1, error);
  return error ? listen_error(address, error) : absl::OkStatus();
}

}  // namespace tachostat::serve
