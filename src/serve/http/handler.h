// What a request is answered with: the routes and the inference, without sockets.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "serve/body.h"
#include "serve/http/target.h"
#include "serve/infer.h"

namespace tachostat::serve {

struct HttpRequest {
  std::string method;
  std::string target;
  std::string header_length;  // Inference-Header-Content-Length, as sent
  std::string content_encoding;
  std::string accept_encoding;
  std::shared_ptr<const Body> body;
};

struct HttpAnswer {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::string headers = {};               // further ones, each ended by "\r\n"
  std::string body = {};                  // first, then
  std::vector<engine::Tensor> tail = {};  // these tensors' data, which are not copied
};

// {"error": "…"} with the status that fits the code.
HttpAnswer error_answer(const absl::Status& status);
HttpAnswer error_answer(unsigned status, std::string_view message);

// Thread-safe.
class HttpHandler {
 public:
  // The references must outlive the handler.
  HttpHandler(base::Clock& clock, const Repository& repository, const Metrics& metrics,
              std::vector<Route> routes, std::size_t max_body);

  // Runs on the caller's executor and comes back to it after the inference. Never throws. Lets go
  // of the request's body as soon as it can.
  boost::asio::awaitable<HttpAnswer> handle(HttpRequest& request) const;

 private:
  using Page = std::function<HttpAnswer(const HttpRequest&, const PageRequest&)>;
  struct Prepared {
    std::shared_ptr<const ServedModel> model;
    InferRequest request;
  };

  void add(std::string method, std::string_view pattern, Page page);
  void add_server_pages();
  void add_model_pages(const std::string& prefix);
  void add_routes(std::vector<Route> routes);
  absl::StatusOr<Prepared> prepare(HttpRequest& request, const Strings& parameters) const;
  boost::asio::awaitable<HttpAnswer> infer(HttpRequest& request, const Strings& parameters) const;
  boost::asio::awaitable<HttpAnswer> dispatch(HttpRequest& request) const;
  absl::Status decode_body(HttpRequest& request) const;

  base::Clock& clock_;
  const Repository& repository_;
  const Metrics& metrics_;
  const std::size_t max_body_;
  Router router_;
  std::vector<Page> pages_;  // by route number; null: inference
};

}  // namespace tachostat::serve
