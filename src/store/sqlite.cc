#include "store/sqlite.h"

#include <sqlite3.h>

#include <algorithm>
#include <boost/crc.hpp>
#include <filesystem>

#include "base/log.h"
#include "base/status.h"

namespace tachostat::store {
namespace {

constexpr int kVersion = 1;               // PRAGMA user_version
constexpr int kApplication = 0x54614368;  // PRAGMA application_id, "TaCh"
constexpr int kBusyTimeoutMs = 5000;      // another process writes or checkpoints
constexpr const char* kFile = "tachostat.db";

constexpr const char* kSchema =
    "CREATE TABLE row (id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, key TEXT NOT NULL,"
    " unix_ms INTEGER NOT NULL, json TEXT NOT NULL, checksum INTEGER NOT NULL);"
    "CREATE INDEX row_by_key ON row (kind, key, id);";

// SQLite checks its own structure but not the content of a row, so each row carries a CRC-32.
std::int64_t checksum_of(std::string_view kind, std::string_view key, std::string_view json) {
  boost::crc_32_type crc;
  for (const std::string_view part : {kind, key, json}) {
    crc.process_bytes(part.data(), part.size());
    crc.process_byte(0);
  }
  return crc.checksum();
}

absl::Status status_of(const SQLite::Exception& error, const std::string& path) {
  const std::string message = fmt::format("store {}: {}", path, error.what());
  switch (error.getErrorCode()) {
    case SQLITE_FULL:
      return absl::ResourceExhaustedError(message);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return absl::UnavailableError(message);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::DataLossError(message);
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
      return absl::FailedPreconditionError(message + "; is its directory writable?");
    default:
      return absl::InternalError(message);
  }
}

absl::Status damaged(const std::string& path, std::string_view what) {
  return absl::DataLossError(fmt::format(
      "store {} is damaged: {}. It was left as it is: restore it from a copy, or move it "
      "away to start afresh",
      path, what));
}

int pragma(SQLite::Database& database, const std::string& name) {
  return database.execAndGet("PRAGMA " + name).getInt();
}

// Looks at a file that exists through a connection that cannot write, so whatever is refused here
// stays as it was.
absl::Status check_file(const std::string& path) {
  try {
    SQLite::Database database(path, SQLite::OPEN_READONLY, kBusyTimeoutMs);
    const int version = pragma(database, "user_version");
    const int application = pragma(database, "application_id");
    const bool fresh = database.execAndGet("SELECT count(*) FROM sqlite_master").getInt() == 0;
    if (fresh && version == 0) return absl::OkStatus();  // created, then killed before the schema
    if (application != kApplication) {
      return base::failed_precondition(
          "store {} is the database of another program: choose another "
          "directory",
          path);
    }
    if (version > kVersion) {
      return base::failed_precondition(
          "store {} has format version {}, this program knows up to {}: use a newer program or "
          "another directory",
          path, version, kVersion);
    }
    SQLite::Statement check(database, "PRAGMA quick_check(1)");
    if (!check.executeStep()) return damaged(path, "its check says nothing");
    const std::string found = check.getColumn(0).getString();
    return found == "ok" ? absl::OkStatus() : damaged(path, found);
  } catch (const SQLite::Exception& error) {
    const int code = error.getErrorCode();
    if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB) return damaged(path, error.what());
    return status_of(error, path);
  }
}

absl::Status prepare_directory(const std::string& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (!error && std::filesystem::is_directory(directory, error)) return absl::OkStatus();
  if (std::filesystem::exists(directory)) {
    return base::failed_precondition("store '{}' is not a directory: expected one for {}",
                                     directory, kFile);
  }
  return base::failed_precondition("store directory '{}' cannot be created: {}", directory,
                                   error.message());
}

// Statements keep rows locked and values bound until they are reset.
class ResetAfter {
 public:
  explicit ResetAfter(SQLite::Statement& statement) : statement_(statement) {}
  ~ResetAfter() { statement_.tryReset(); }
  ResetAfter(const ResetAfter&) = delete;
  ResetAfter& operator=(const ResetAfter&) = delete;

 private:
  SQLite::Statement& statement_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> open_sqlite(const std::string& directory) {
  return SqliteStore::Create(directory, {});
}

SqliteStore::SqliteStore(std::string path, SqliteOptions options)
    : path_(std::move(path)), options_(options) {}

absl::StatusOr<std::unique_ptr<Store>> SqliteStore::Create(const std::string& directory,
                                                           SqliteOptions options) {
  TS_RETURN_IF_ERROR(prepare_directory(directory));
  const std::string path = (std::filesystem::path(directory) / kFile).string();
  std::error_code error;
  if (std::filesystem::exists(path, error)) {
    if (!std::filesystem::is_regular_file(path, error)) {
      return base::failed_precondition("store {} is not a file", path);
    }
    TS_RETURN_IF_ERROR(check_file(path));
  }
  std::unique_ptr<SqliteStore> store(new SqliteStore(path, options));
  try {
    base::MutexLock lock(store->mutex_);
    store->connect();
  } catch (const SQLite::Exception& failure) {
    return status_of(failure, path);
  }
  return store;
}

void SqliteStore::connect() {
  database_.emplace(path_, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, kBusyTimeoutMs);
  // In WAL mode a row is in the log file once append() returned, so a killed process loses nothing.
  // NORMAL leaves syncing to checkpoints: a power cut may lose the last rows but cannot damage the
  // rest. FULL would sync for every row, milliseconds each, to save a few decisions that the
  // governor takes again.
  database_->execAndGet("PRAGMA journal_mode = WAL");
  database_->exec("PRAGMA synchronous = NORMAL");
  SQLite::Transaction transaction(*database_, SQLite::TransactionBehavior::IMMEDIATE);
  // Looked at inside the transaction: another process may have been faster.
  if (pragma(*database_, "user_version") == 0) {
    database_->exec(kSchema);
    database_->exec(fmt::format("PRAGMA application_id = {}", kApplication));
    database_->exec(fmt::format("PRAGMA user_version = {}", kVersion));
  }
  transaction.commit();
  append_.emplace(*database_,
                  "INSERT INTO row (kind, key, unix_ms, json, checksum) VALUES (?, ?, ?, ?, ?)");
  latest_.emplace(*database_,
                  "SELECT id, unix_ms, json, checksum FROM row WHERE kind = ? AND key = ?"
                  " ORDER BY id DESC LIMIT ?");
}

absl::Status SqliteStore::append(std::string_view kind, std::string_view key, std::int64_t unix_ms,
                                 std::string_view json) {
  base::MutexLock lock(mutex_);
  try {
    const ResetAfter reset(*append_);
    append_->bind(1, std::string(kind));
    append_->bind(2, std::string(key));
    append_->bind(3, unix_ms);
    append_->bind(4, std::string(json));
    append_->bind(5, checksum_of(kind, key, json));
    append_->exec();
    if (++appends_ % options_.prune_every == 0) prune(std::string(kind));
    return absl::OkStatus();
  } catch (const SQLite::Exception& error) {
    return status_of(error, path_);
  }
}

void SqliteStore::prune(const std::string& kind) {
  SQLite::Statement drop(
      *database_,
      "DELETE FROM row WHERE kind = ?1 AND id <= (SELECT id FROM row WHERE kind ="
      " ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)");
  drop.bind(1, kind);
  drop.bind(2, options_.kept_rows);
  drop.exec();
}

absl::StatusOr<std::vector<Row>> SqliteStore::latest(std::string_view kind, std::string_view key,
                                                     int limit) const {
  std::vector<Row> rows;
  if (limit <= 0) return rows;
  base::MutexLock lock(mutex_);
  try {
    const ResetAfter reset(*latest_);
    latest_->bind(1, std::string(kind));
    latest_->bind(2, std::string(key));
    latest_->bind(3, limit);
    while (latest_->executeStep()) {
      Row row{.id = latest_->getColumn(0).getInt64(),
              .unix_ms = latest_->getColumn(1).getInt64(),
              .json = latest_->getColumn(2).getString()};
      if (latest_->getColumn(3).getInt64() != checksum_of(kind, key, row.json)) {
        spdlog::warn("store {}: row {} ({} of {}) is damaged and left out", path_, row.id, kind,
                     key);
        continue;
      }
      rows.push_back(std::move(row));
    }
  } catch (const SQLite::Exception& error) {
    return status_of(error, path_);
  }
  std::reverse(rows.begin(), rows.end());
  return rows;
}

}  // namespace tachostat::store
