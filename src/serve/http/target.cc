#include "serve/http/target.h"

#include "base/status.h"
#include "serve/infer.h"

namespace tachostat::serve {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// `plus_is_space`: in queries only.
absl::StatusOr<std::string> decode(std::string_view text, bool plus_is_space) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
      if (high < 0 || low < 0) {
        return base::invalid_argument("the path {} has a '%' without two hexadecimal digits",
                                      in_quotes(text));
      }
      c = static_cast<char>(high * 16 + low);
      i += 2;
    } else if (c == '+' && plus_is_space) {
      c = ' ';
    }
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      return base::invalid_argument("the path has a control character");
    }
    decoded += c;
  }
  return decoded;
}

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t end = text.find(at);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

bool is_parameter(std::string_view segment) {
  return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

std::string_view parameter_name(std::string_view segment) {
  return segment.substr(1, segment.size() - 2);
}

}  // namespace

absl::StatusOr<Target> parse_target(std::string_view target) {
  // A proxy may send the absolute form.
  if (target.starts_with("http://")) {
    const std::size_t path = target.find('/', 7);
    target = path == std::string_view::npos ? "/" : target.substr(path);
  }
  if (!target.starts_with('/')) {
    return base::invalid_argument("{} is not a path", in_quotes(target));
  }
  target.remove_prefix(1);
  target = target.substr(0, target.find('#'));
  const std::size_t question = target.find('?');
  Target parsed;
  for (const std::string_view segment : split(target.substr(0, question), '/')) {
    TS_ASSIGN_OR_RETURN(std::string decoded, decode(segment, false));
    parsed.segments.push_back(std::move(decoded));
  }
  if (question == std::string_view::npos) return parsed;
  for (const std::string_view pair : split(target.substr(question + 1), '&')) {
    if (pair.empty()) continue;
    const std::size_t equals = pair.find('=');
    TS_ASSIGN_OR_RETURN(std::string name, decode(pair.substr(0, equals), true));
    std::string value;
    if (equals != std::string_view::npos) {
      TS_ASSIGN_OR_RETURN(value, decode(pair.substr(equals + 1), true));
    }
    parsed.query.emplace(std::move(name), std::move(value));
  }
  return parsed;
}

int Router::add(std::string method, std::string_view pattern) {
  Route route{.method = std::move(method), .segments = {}};
  if (pattern.starts_with('/')) pattern.remove_prefix(1);
  for (const std::string_view segment : split(pattern, '/')) {
    route.segments.emplace_back(segment);
    if (!is_parameter(segment)) ++route.literals;
  }
  routes_.push_back(std::move(route));
  return static_cast<int>(routes_.size()) - 1;
}

Router::Match Router::match(std::string_view method,
                            const std::vector<std::string>& segments) const {
  if (method == "HEAD") method = "GET";
  const auto matches = [&](const Route& route) {
    if (route.segments.size() != segments.size()) return false;
    for (std::size_t i = 0; i < segments.size(); ++i) {
      // An empty segment is nothing's name.
      const bool fits =
          is_parameter(route.segments[i]) ? !segments[i].empty() : route.segments[i] == segments[i];
      if (!fits) return false;
    }
    return true;
  };
  Match match;
  int literals = -1;
  for (std::size_t i = 0; i < routes_.size(); ++i) {
    const Route& route = routes_[i];
    if (!matches(route)) continue;
    if (route.literals > literals) {
      literals = route.literals;
      match = Match();
    } else if (route.literals < literals) {
      continue;
    }
    match.allow += (match.allow.empty() ? "" : ", ") + route.method;
    if (route.method == method) match.route = static_cast<int>(i);
  }
  if (match.route < 0) return match;
  const Route& route = routes_[static_cast<std::size_t>(match.route)];
  for (std::size_t i = 0; i < segments.size(); ++i) {
    if (is_parameter(route.segments[i])) {
      match.parameters.emplace(parameter_name(route.segments[i]), segments[i]);
    }
  }
  return match;
}

}  // namespace tachostat::serve
