// Nsight Systems' export as SQLite, read as what it is: a stranger's database.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trace/import.h"

namespace tachostat::trace {

// A row of a scan; columns by their place in the list that scan() was given.
class NsysRow {
 public:
  NsysRow(SQLite::Statement& statement, const std::vector<int>& columns)
      : statement_(statement), columns_(columns) {}
  // Nothing when the table has no such column, or it is no integer here.
  std::optional<std::int64_t> number(std::size_t column) const;
  // Empty when the table has no such column, or it is no text here.
  std::string_view text(std::size_t column) const;

 private:
  SQLite::Statement& statement_;
  const std::vector<int>& columns_;  // of the statement; -1: the table has none
};

// Opened read-only, with views, triggers and what schemas may run switched off, and a limit on
// work in proportion to the file's size: damaged or hostile databases end in an error. Its members
// throw SQLite::Exception.
class NsysDatabase {
 public:
  // Of the input's file where it lies on disk as it is, else of its bytes in memory.
  static absl::StatusOr<std::unique_ptr<NsysDatabase>> open(Input& input);

  bool has_table(const std::string& name);
  // Calls visit(row) for every row; nothing happens when there is no such table.
  template <class Visit>
  void scan(const std::string& table, const std::vector<std::string_view>& columns, Visit visit) {
    if (!has_table(table)) return;
    SQLite::Statement statement(*database_, "SELECT * FROM \"" + table + "\"");
    const std::vector<int> places = places_of(statement, columns);
    while (statement.executeStep()) visit(NsysRow(statement, places));
  }
  std::uint64_t bytes() const { return bytes_; }

 private:
  NsysDatabase() = default;
  void guard();
  static int count_work(void* self);
  static std::vector<int> places_of(SQLite::Statement& statement,
                                    const std::vector<std::string_view>& columns);

  std::string memory_;  // outlives the database
  std::uint64_t bytes_ = 0;
  std::uint64_t work_left_ = 0;  // in steps of count_work()
  std::unique_ptr<SQLite::Database> database_;
};

}  // namespace tachostat::trace
