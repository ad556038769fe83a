// Where decisions, trials and profiles are kept across restarts. Append-only rows of JSON by kind
// and key.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace tachostat::store {

struct Row {
  std::int64_t id = 0;  // ascending
  std::int64_t unix_ms = 0;
  std::string json;
};

// Of each kind, the newest 100,000 rows or so are kept. Thread-safe.
class Store {
 public:
  virtual ~Store() = default;
  virtual absl::Status append(std::string_view kind, std::string_view key, std::int64_t unix_ms,
                              std::string_view json) = 0;
  // The newest `limit` rows, oldest first. Rows that were damaged on disk are left out, with a
  // warning in the log.
  virtual absl::StatusOr<std::vector<Row>> latest(std::string_view kind, std::string_view key,
                                                  int limit) const = 0;
};

// DIR/tachostat.db, SQLite in WAL mode, created when absent. Errors name the directory: not a
// directory, not writable, a database of a newer version, a corrupt one (which is left untouched).
absl::StatusOr<std::unique_ptr<Store>> open_sqlite(const std::string& directory);
// Keeps rows in memory only; for tests and for `serve` without --store.
std::unique_ptr<Store> open_memory();

}  // namespace tachostat::store
