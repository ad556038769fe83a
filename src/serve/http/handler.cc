#include "serve/http/handler.h"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/status.h"
#include "serve/answer_json.h"
#include "serve/describe.h"
#include "serve/http/compression.h"
#include "serve/infer_json.h"

namespace tachostat::serve {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kCompressFrom = 1024;  // smaller answers would hardly shrink

unsigned http_status_of(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kOk:
      return 200;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kOutOfRange:
      return 400;
    case absl::StatusCode::kNotFound:
      return 404;
    case absl::StatusCode::kResourceExhausted:
      return 429;
    case absl::StatusCode::kUnimplemented:
      return 501;
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kCancelled:
      return 503;
    case absl::StatusCode::kDeadlineExceeded:
      return 504;
    default:
      return 500;
  }
}

HttpAnswer json_answer(std::string body) { return {.body = std::move(body)}; }

std::string_view parameter(const Strings& parameters, std::string_view name) {
  const auto found = parameters.find(name);
  return found == parameters.end() ? std::string_view() : found->second;
}

absl::StatusOr<std::optional<std::size_t>> header_length_of(const std::string& text) {
  if (text.empty()) return std::optional<std::size_t>();
  std::size_t length = 0;
  const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), length);
  if (bad != std::errc() || end != text.data() + text.size()) {
    return base::invalid_argument("Inference-Header-Content-Length {}: expected a number of bytes",
                                  in_quotes(text));
  }
  return std::optional<std::size_t>(length);
}

// Waits for the scheduler without holding a thread: `done` runs on an engine's thread and only
// posts the result to the executor that the coroutine runs on.
asio::awaitable<absl::StatusOr<schedule::Response>> run(const ServedModel& model,
                                                        base::Clock& clock, InferRequest& request) {
  using Result = absl::StatusOr<schedule::Response>;
  auto initiate = [&model, &clock, &request](auto handler) {
    auto executor = asio::get_associated_executor(handler);
    submit(model, clock, request, base::Time::max(),
           [executor, handler = std::move(handler)](Result result) mutable {
             asio::post(executor,
                        [handler = std::move(handler), result = std::move(result)]() mutable {
                          std::move(handler)(std::move(result));
                        });
           });
  };
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(Result)>(
      initiate, asio::use_awaitable);
}

HttpAnswer finish(const ServedModel& model, const InferRequest& request,
                  absl::StatusOr<schedule::Response> response) {
  if (!response.ok()) return error_answer(response.status());
  auto outputs = select_outputs(request.outputs, std::move(response->outputs));
  if (!outputs.ok()) return error_answer(outputs.status());
  auto written = write_infer_answer(model, request, *std::move(outputs));
  if (!written.ok()) return error_answer(written.status());
  HttpAnswer answer = json_answer(std::move(written->json));
  if (written->binary) {
    answer.content_type = "application/octet-stream";
    answer.headers = fmt::format("Inference-Header-Content-Length: {}\r\n", answer.body.size());
    answer.tail = std::move(written->tail);
  }
  return answer;
}

void compress_if_wanted(const std::string& accept_encoding, HttpAnswer& answer) {
  if (accept_encoding.empty()) return;
  const Coding coding = choose_coding(accept_encoding, !answer.tail.empty());
  if (coding == Coding::kIdentity) return;
  std::vector<std::span<const std::byte>> parts = {std::as_bytes(std::span(answer.body))};
  std::size_t size = answer.body.size();
  for (const engine::Tensor& tensor : answer.tail) {
    parts.push_back(tensor.data);
    size += tensor.data.size();
  }
  if (size < kCompressFrom) return;
  auto compressed = compress(parts, coding);
  if (!compressed.ok()) return;  // uncompressed is right too
  answer.body = *std::move(compressed);
  answer.tail.clear();
  answer.headers += fmt::format("Content-Encoding: {}\r\n", name_of(coding));
}

}  // namespace

HttpAnswer error_answer(unsigned status, std::string_view message) {
  return {.status = status, .body = fmt::format("{{\"error\":{}}}", json_string(message))};
}

HttpAnswer error_answer(const absl::Status& status) {
  HttpAnswer answer = error_answer(http_status_of(status.code()), wire_message(status));
  if (answer.status == 429 || answer.status == 503) answer.headers = "Retry-After: 1\r\n";
  return answer;
}

HttpHandler::HttpHandler(base::Clock& clock, const Repository& repository, const Metrics& metrics,
                         std::vector<Route> routes, std::size_t max_body)
    : clock_(clock), repository_(repository), metrics_(metrics), max_body_(max_body) {
  add_server_pages();
  add_model_pages("/v2/models/{model}");
  add_model_pages("/v2/models/{model}/versions/{version}");
  add_routes(std::move(routes));
}

void HttpHandler::add(std::string method, std::string_view pattern, Page page) {
  router_.add(std::move(method), pattern);
  pages_.push_back(std::move(page));
}

void HttpHandler::add_server_pages() {
  add("GET", "/v2",
      [](const HttpRequest&, const PageRequest&) { return json_answer(server_metadata_json()); });
  add("GET", "/v2/health/live",
      [](const HttpRequest&, const PageRequest&) { return json_answer("{\"live\":true}"); });
  add("GET", "/v2/health/ready", [this](const HttpRequest&, const PageRequest&) {
    const bool ready = repository_.ready();
    HttpAnswer answer = json_answer(fmt::format("{{\"ready\":{}}}", ready));
    answer.status = ready ? 200 : 503;
    return answer;
  });
  add("GET", "/v2/models/stats", [this](const HttpRequest&, const PageRequest&) {
    return json_answer(statistics_json(repository_.list()));
  });
  add("POST", "/v2/repository/index", [this](const HttpRequest& request, const PageRequest&) {
    const auto body = nlohmann::json::parse(request.body->text(), nullptr, false);
    const bool only_ready =
        body.is_object() && body.contains("ready") && body["ready"] == nlohmann::json(true);
    return json_answer(repository_index_json(repository_, only_ready));
  });
  add("GET", "/metrics", [this](const HttpRequest&, const PageRequest&) {
    return HttpAnswer{.content_type = "text/plain; version=0.0.4; charset=utf-8",
                      .body = metrics_.text()};
  });
}

void HttpHandler::add_model_pages(const std::string& prefix) {
  using Describe = std::string (*)(const ServedModel&);
  const auto add_page = [&](std::string_view suffix, Describe describe) {
    add("GET", prefix + std::string(suffix),
        [this, describe](const HttpRequest&, const PageRequest& page) {
          const auto model = find_model(repository_, parameter(page.parameters, "model"),
                                        parameter(page.parameters, "version"));
          return model.ok() ? json_answer(describe(**model)) : error_answer(model.status());
        });
  };
  add_page("", model_metadata_json);
  add_page("/config", model_config_json);
  add("GET", prefix + "/stats", [this](const HttpRequest&, const PageRequest& page) {
    const auto model = find_model(repository_, parameter(page.parameters, "model"),
                                  parameter(page.parameters, "version"));
    return model.ok() ? json_answer(statistics_json({*model})) : error_answer(model.status());
  });
  add("GET", prefix + "/ready", [this](const HttpRequest&, const PageRequest& page) {
    const auto model = find_model(repository_, parameter(page.parameters, "model"),
                                  parameter(page.parameters, "version"));
    if (!model.ok()) return error_answer(model.status());
    const bool ready = repository_.ready();
    HttpAnswer answer = json_answer(
        fmt::format("{{\"name\":{},\"ready\":{}}}", json_string((*model)->name), ready));
    answer.status = ready ? 200 : 503;
    return answer;
  });
  add("POST", prefix + "/infer", nullptr);
}

void HttpHandler::add_routes(std::vector<Route> routes) {
  for (Route& route : routes) {
    add(std::move(route.method), route.pattern,
        [handler = std::move(route.handler)](const HttpRequest&, const PageRequest& request) {
          auto page = handler(request);
          if (!page.ok()) return error_answer(page.status());
          return HttpAnswer{.content_type = std::move(page->content_type),
                            .body = std::move(page->body)};
        });
  }
}

absl::Status HttpHandler::decode_body(HttpRequest& request) const {
  if (request.content_encoding.empty()) return absl::OkStatus();
  TS_ASSIGN_OR_RETURN(const Coding coding, coding_of(request.content_encoding));
  if (coding == Coding::kIdentity) return absl::OkStatus();
  TS_ASSIGN_OR_RETURN(const std::string decoded, decompress(request.body->text(), max_body_));
  request.body = Body::copy_of(decoded);
  if (!request.body) return absl::ResourceExhaustedError("no memory for the body");
  return absl::OkStatus();
}

absl::StatusOr<HttpHandler::Prepared> HttpHandler::prepare(HttpRequest& request,
                                                           const Strings& parameters) const {
  TS_ASSIGN_OR_RETURN(auto model, find_model(repository_, parameter(parameters, "model"),
                                             parameter(parameters, "version")));
  TS_ASSIGN_OR_RETURN(const auto json_size, header_length_of(request.header_length));
  TS_ASSIGN_OR_RETURN(InferRequest infer, parse_infer_body(request.body, json_size));
  TS_RETURN_IF_ERROR(check_outputs(model->graph, infer.outputs));
  return Prepared{std::move(model), std::move(infer)};
}

asio::awaitable<HttpAnswer> HttpHandler::infer(HttpRequest& request,
                                               const Strings& parameters) const {
  const base::Time begin = clock_.now();
  absl::StatusOr<Prepared> prepared = prepare(request, parameters);
  const base::Duration decode = clock_.now() - begin;
  request.body.reset();  // the tensors keep it if they need it
  if (!prepared.ok()) co_return error_answer(prepared.status());
  absl::StatusOr<schedule::Response> response =
      co_await run(*prepared->model, clock_, prepared->request);
  const ServedModel& model = *prepared->model;
  if (!response.ok() || !model.on_wired) {
    co_return finish(model, prepared->request, std::move(response));
  }
  const base::Time answered = clock_.now();
  HttpAnswer answer = finish(model, prepared->request, std::move(response));
  model.on_wired({.decode = decode,
                  .encode = clock_.now() - answered,
                  .text = request.header_length.empty(),
                  .outputs = prepared->request.outputs});
  co_return answer;
}

asio::awaitable<HttpAnswer> HttpHandler::dispatch(HttpRequest& request) const {
  absl::StatusOr<Target> target = parse_target(request.target);
  if (!target.ok()) co_return error_answer(target.status());
  const Router::Match match = router_.match(request.method, target->segments);
  if (match.route < 0 && match.allow.empty()) {
    co_return error_answer(404, fmt::format("no page {}", in_quotes(request.target)));
  }
  if (match.route < 0) {
    HttpAnswer answer = error_answer(405, fmt::format("method {} is not allowed here: use {}",
                                                      in_quotes(request.method), match.allow));
    answer.headers = fmt::format("Allow: {}\r\n", match.allow);
    co_return answer;
  }
  if (const absl::Status status = decode_body(request); !status.ok()) {
    const bool too_large = absl::IsResourceExhausted(status);
    if (too_large) co_return error_answer(413, wire_message(status));
    if (absl::IsUnimplemented(status)) co_return error_answer(415, wire_message(status));
    co_return error_answer(status);
  }
  const Page& page = pages_[static_cast<std::size_t>(match.route)];
  if (!page) co_return co_await infer(request, match.parameters);
  co_return page(request, {.parameters = match.parameters,
                           .query = std::move(target->query),
                           .body = std::string(request.body->text())});
}

asio::awaitable<HttpAnswer> HttpHandler::handle(HttpRequest& request) const {
  HttpAnswer answer;
  // The last net: a library's exception must cost one answer, not the process.
  try {
    answer = co_await dispatch(request);
  } catch (const std::exception& error) {
    answer = error_answer(base::internal("unexpected: {}", error.what()));
  }
  compress_if_wanted(request.accept_encoding, answer);
  co_return answer;
}

}  // namespace tachostat::serve
