// A request's target ("/v2/models/a%20b?x=1") and the patterns that it is matched with.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace tachostat::serve {

using Strings = std::map<std::string, std::string, std::less<>>;

struct Target {
  std::vector<std::string> segments;  // between slashes, percent-decoded
  Strings query;                      // the first value of a name counts
};

// InvalidArgument on a bad escape, a control character, or anything that is not a path.
absl::StatusOr<Target> parse_target(std::string_view target);

// Filled once, then read from any thread.
class Router {
 public:
  struct Match {
    int route = -1;  // as add() numbered it; -1: no such path, or, when `allow` is set, method
    Strings parameters;
    std::string allow;  // methods that the path has: "GET, PUT"
  };

  // Segments in braces match any one segment. Returns 0, 1, 2, …
  int add(std::string method, std::string_view pattern);
  // Of several patterns that match, the one with the most literal segments wins. HEAD is GET.
  Match match(std::string_view method, const std::vector<std::string>& segments) const;

 private:
  struct Route {
    std::string method;
    std::vector<std::string> segments;
    int literals = 0;
  };
  std::vector<Route> routes_;
};

}  // namespace tachostat::serve
