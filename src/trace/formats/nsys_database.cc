#include "trace/formats/nsys_database.h"

#include <sqlite3.h>

#include <filesystem>

#include "base/status.h"

namespace tachostat::trace {
namespace {

constexpr std::size_t kMostInMemory = std::size_t{2} << 30;
constexpr int kStep = 1000;  // of SQLite's virtual machine

// For SQLite's "file:" names.
std::string escaped(const std::string& path) {
  std::string text;
  for (const char c : path) {
    if (c == '%' || c == '?' || c == '#') {
      text += fmt::format("%{:02x}", c);
    } else {
      text += c;
    }
  }
  return text;
}

}  // namespace

std::optional<std::int64_t> NsysRow::number(std::size_t column) const {
  if (columns_[column] < 0) return std::nullopt;
  const SQLite::Column value = statement_.getColumn(columns_[column]);
  if (!value.isInteger()) return std::nullopt;
  return value.getInt64();
}

std::string_view NsysRow::text(std::size_t column) const {
  if (columns_[column] < 0) return {};
  const SQLite::Column value = statement_.getColumn(columns_[column]);
  if (!value.isText()) return {};
  // getText() first: the size is that of the text then.
  const char* const text = value.getText();
  return {text, static_cast<std::size_t>(value.getBytes())};
}

absl::StatusOr<std::unique_ptr<NsysDatabase>> NsysDatabase::open(Input& input) {
  std::unique_ptr<NsysDatabase> opened(new NsysDatabase);
  try {
    if (!input.plain_path().empty()) {
      // Immutable: no lock, no journal of a writer that may have died.
      opened->database_ = std::make_unique<SQLite::Database>(
          "file:" + escaped(std::filesystem::absolute(input.plain_path()).string()) +
              "?immutable=1",
          SQLite::OPEN_READONLY | SQLITE_OPEN_URI);
      std::error_code error;
      const auto size = std::filesystem::file_size(input.plain_path(), error);
      opened->bytes_ = error ? 0 : size;
    } else {
      TS_ASSIGN_OR_RETURN(opened->memory_, input.all(kMostInMemory));
      opened->bytes_ = opened->memory_.size();
      opened->database_ = std::make_unique<SQLite::Database>(":memory:", SQLite::OPEN_READWRITE);
      const auto size = static_cast<sqlite3_int64>(opened->memory_.size());
      const int code = sqlite3_deserialize(opened->database_->getHandle(), "main",
                                           reinterpret_cast<unsigned char*>(opened->memory_.data()),
                                           size, size, SQLITE_DESERIALIZE_READONLY);
      if (code != SQLITE_OK) {
        return base::invalid_argument("{}: no SQLite database that can be read: {}", input.name(),
                                      sqlite3_errstr(code));
      }
    }
    opened->guard();
  } catch (const std::exception& error) {
    return base::invalid_argument("{}: no SQLite database that can be read: {}", input.name(),
                                  error.what());
  }
  return opened;
}

void NsysDatabase::guard() {
  sqlite3* const handle = database_->getHandle();
  for (const auto& [option, value] : {std::pair(SQLITE_DBCONFIG_DEFENSIVE, 1),
                                      {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
                                      {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
                                      {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0}}) {
    sqlite3_db_config(handle, option, value, nullptr);
  }
  sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, 16 << 20);
  sqlite3_limit(handle, SQLITE_LIMIT_ATTACHED, 0);
  // A row takes ten bytes at least and some fifty instructions with all its columns; several tables
  // of them are read once.
  constexpr std::uint64_t kBase = 5'000'000;
  constexpr std::uint64_t kPerByte = 50;
  work_left_ = (kBase + kPerByte * bytes_) / kStep;
  sqlite3_progress_handler(handle, kStep, count_work, this);
}

int NsysDatabase::count_work(void* self) {
  auto& work_left = static_cast<NsysDatabase*>(self)->work_left_;
  if (work_left == 0) return 1;  // SQLite stops: "interrupted"
  --work_left;
  return 0;
}

bool NsysDatabase::has_table(const std::string& name) {
  SQLite::Statement statement(*database_,
                              "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?");
  statement.bind(1, name);
  return statement.executeStep();
}

std::vector<int> NsysDatabase::places_of(SQLite::Statement& statement,
                                         const std::vector<std::string_view>& columns) {
  std::vector<int> places;
  for (const std::string_view column : columns) {
    places.push_back(-1);
    for (int i = 0; i < statement.getColumnCount(); ++i) {
      if (column == statement.getColumnName(i)) places.back() = i;
    }
  }
  return places;
}

}  // namespace tachostat::trace
