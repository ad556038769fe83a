#include "cli/server.h"

#include <sstream>
#include <thread>

#include "base/status.h"
#include "trace/formats/chrome.h"

namespace tachostat::cli {
namespace {

using nlohmann::json;

constexpr auto kPollInterval = std::chrono::milliseconds(200);

absl::Status status_of(const base::HttpReply& reply, const std::string& what) {
  if (reply.status < 300) return absl::OkStatus();
  const json body = json::parse(reply.body, nullptr, false);
  const std::string message =
      body.is_object() && body.contains("error") && body["error"].is_string()
          ? body["error"].get<std::string>()
          : fmt::format("{}: status {}", what, reply.status);
  switch (reply.status) {
    case 400:
      return absl::InvalidArgumentError(message);
    case 404:
      return absl::NotFoundError(message);
    default:
      return absl::UnavailableError(message);
  }
}

absl::StatusOr<std::string> only_model(const std::string& index) {
  const json models = json::parse(index, nullptr, false);
  std::vector<std::string> names;
  if (models.is_array()) {
    for (const json& model : models) {
      if (model.is_object() && model.value("name", json()).is_string()) {
        names.push_back(model["name"].get<std::string>());
      }
    }
  }
  if (names.empty()) return base::unavailable("the server has no model yet");
  if (names.size() > 1) {
    return base::invalid_argument("the server has {} models; say which by --name: {}", names.size(),
                                  fmt::join(names, ", "));
  }
  return names.front();
}

std::string escaped(const std::string& name) {
  std::string text;
  for (const char c : name) {
    const bool plain = (std::isalnum(static_cast<unsigned char>(c)) != 0) || c == '-' || c == '_' ||
                       c == '.' || c == '~';
    text += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return text;
}

}  // namespace

bool is_url(const std::string& text) {
  return text.starts_with("http://") || text.starts_with("https://");
}

absl::StatusOr<Server> Server::connect(const std::string& url, const std::string& model) {
  Server server;
  TS_ASSIGN_OR_RETURN(server.url_, base::parse_url(url));
  server.model_ = model;
  if (model.empty()) {
    TS_ASSIGN_OR_RETURN(const std::string index,
                        server.call_root("POST", "/v2/repository/index", "{}"));
    TS_ASSIGN_OR_RETURN(server.model_, only_model(index));
  }
  return server;
}

absl::StatusOr<std::string> Server::call_root(const std::string& method, const std::string& path,
                                              const std::string& body) const {
  base::Url url = url_;
  url.path = path;
  TS_ASSIGN_OR_RETURN(base::HttpReply reply,
                      base::send_http(url, {.method = method, .body = body}));
  TS_RETURN_IF_ERROR(status_of(reply, fmt::format("{} http://{}:{}{} (is it a tachostat server?)",
                                                  method, url_.host, url_.port, path)));
  return std::move(reply.body);
}

absl::StatusOr<std::string> Server::call(const std::string& method, const std::string& page,
                                         const std::string& body) const {
  return call_root(method, "/tachostat/v1/models/" + escaped(model_) + page, body);
}

absl::StatusOr<json> Server::get(const std::string& page) const {
  TS_ASSIGN_OR_RETURN(const std::string body, call("GET", page));
  json document = json::parse(body, nullptr, false);
  if (!document.is_object()) return base::unavailable("{}: not a JSON object", page);
  return document;
}

absl::StatusOr<app::ProfileRun> profile_server(const Server& server, const LiveOptions& options) {
  const json wanted = {
      {"depth", options.depth}, {"requests", options.requests}, {"duration", options.duration}};
  TS_RETURN_IF_ERROR(server.call("POST", "/profiling", wanted.dump()).status());
  for (;;) {
    TS_ASSIGN_OR_RETURN(const json state, server.get("/profiling"));
    if (state.value("state", "") != "running") break;
    if (options.progress && !options.progress(state.value("requests", 0))) {
      TS_RETURN_IF_ERROR(server.call("DELETE", "/profiling").status());
      break;
    }
    std::this_thread::sleep_for(kPollInterval);
  }
  app::ProfileRun run;
  TS_ASSIGN_OR_RETURN(const std::string profile, server.call("GET", "/profiling/profile"));
  TS_ASSIGN_OR_RETURN(run.profile, profile::from_json(profile));
  TS_ASSIGN_OR_RETURN(std::string trace, server.call("GET", "/profiling/trace"));
  std::istringstream in(std::move(trace));
  TS_ASSIGN_OR_RETURN(run.trace, trace::read_chrome(in));
  return run;
}

}  // namespace tachostat::cli
