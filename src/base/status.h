// Errors are absl::Status. A message names the thing, what was expected, what was found, what to
// do.
#pragma once

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// Debian's Abseil has a string_view of its own, not std's.
template <>
struct fmt::formatter<absl::string_view> : fmt::formatter<std::string_view> {
  template <class Context>
  auto format(absl::string_view text, Context& context) const {
    return fmt::formatter<std::string_view>::format(std::string_view(text.data(), text.size()),
                                                    context);
  }
};

namespace tachostat::base {

inline std::string_view message_of(const absl::Status& status) {
  return std::string_view(status.message().data(), status.message().size());
}

template <class... Args>
absl::Status invalid_argument(fmt::format_string<Args...> format, Args&&... args) {
  return absl::InvalidArgumentError(fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
absl::Status not_found(fmt::format_string<Args...> format, Args&&... args) {
  return absl::NotFoundError(fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
absl::Status unavailable(fmt::format_string<Args...> format, Args&&... args) {
  return absl::UnavailableError(fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
absl::Status failed_precondition(fmt::format_string<Args...> format, Args&&... args) {
  return absl::FailedPreconditionError(fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
absl::Status internal(fmt::format_string<Args...> format, Args&&... args) {
  return absl::InternalError(fmt::format(format, std::forward<Args>(args)...));
}

// The same code with `context: ` before the message, for a caller that knows what was being done.
absl::Status with_context(const absl::Status& status, std::string_view context);

}  // namespace tachostat::base

#define TS_CONCAT_INNER(a, b) a##b
#define TS_CONCAT(a, b) TS_CONCAT_INNER(a, b)

#define TS_RETURN_IF_ERROR(expression)                                            \
  do {                                                                            \
    if (absl::Status ts_status = (expression); !ts_status.ok()) return ts_status; \
  } while (false)

// TS_ASSIGN_OR_RETURN(auto graph, model::read(path));
#define TS_ASSIGN_OR_RETURN(declaration, expression) \
  TS_ASSIGN_OR_RETURN_IMPL(TS_CONCAT(ts_status_or_, __LINE__), declaration, expression)
#define TS_ASSIGN_OR_RETURN_IMPL(temporary, declaration, expression) \
  auto temporary = (expression);                                     \
  if (!temporary.ok()) return std::move(temporary).status();         \
  declaration = *std::move(temporary)
