// Talking to a running `tachostat serve`.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/status/statusor.h"
#include "app/profile_run.h"
#include "base/http_client.h"
#include "cli/cli.h"

namespace tachostat::cli {

// True for what is meant as a server's address rather than a file: "http://…" or "https://…".
bool is_url(const std::string& text);

class Server {
 public:
  // `model` may be empty when the server has only one.
  static absl::StatusOr<Server> connect(const std::string& url, const std::string& model);

  const std::string& model() const { return model_; }
  // Below /tachostat/v1/models/NAME, e.g. "/profiling". The server's error as a Status.
  absl::StatusOr<std::string> call(const std::string& method, const std::string& page,
                                   const std::string& body = "") const;
  absl::StatusOr<nlohmann::json> get(const std::string& page) const;
  // Below the server's root.
  absl::StatusOr<std::string> call_root(const std::string& method, const std::string& path,
                                        const std::string& body = "") const;

 private:
  base::Url url_;
  std::string model_;
};

struct LiveOptions {
  std::string depth = "kernels";
  int requests = 200;
  std::string duration = "30s";
  // Called several times a second; false ends the look early, with what was seen. May be null.
  std::function<bool(int done)> progress;
};

// Has the server look at every request for a while, and reads what it saw. The server puts itself
// back in any case.
absl::StatusOr<app::ProfileRun> profile_server(const Server& server, const LiveOptions& options);

}  // namespace tachostat::cli
