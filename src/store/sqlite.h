// The SQLite store; its file format is in docs/design/store.md.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <memory>
#include <optional>
#include <string>

#include "base/mutex.h"
#include "store/store.h"

namespace tachostat::store {

struct SqliteOptions {
  int kept_rows = 100000;  // of each kind
  int prune_every = 1000;  // appends between two looks for rows to drop
};

// One connection, one statement at a time. Several processes may use one directory.
class SqliteStore final : public Store {
 public:
  static absl::StatusOr<std::unique_ptr<Store>> Create(const std::string& directory,
                                                       SqliteOptions options);

  absl::Status append(std::string_view kind, std::string_view key, std::int64_t unix_ms,
                      std::string_view json) override;
  absl::StatusOr<std::vector<Row>> latest(std::string_view kind, std::string_view key,
                                          int limit) const override;

 private:
  SqliteStore(std::string path, SqliteOptions options);

  void connect() TS_REQUIRES(mutex_);
  void prune(const std::string& kind) TS_REQUIRES(mutex_);

  const std::string path_;
  const SqliteOptions options_;
  mutable base::Mutex mutex_;
  std::optional<SQLite::Database> database_ TS_GUARDED_BY(mutex_);
  mutable std::optional<SQLite::Statement> append_ TS_GUARDED_BY(mutex_);
  mutable std::optional<SQLite::Statement> latest_ TS_GUARDED_BY(mutex_);
  int appends_ TS_GUARDED_BY(mutex_) = 0;
};

}  // namespace tachostat::store
