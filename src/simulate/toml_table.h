// A TOML table whose every key has to be asked for: what is missing, of another type, out of range
// or unknown is an error that names the file, the table and the key.
#pragma once

#include <limits>
#include <optional>
#include <set>
#include <string>
#include <vector>

#define TOML_EXCEPTIONS 0
// Its assertions abort on some malformed files, which its parser then refuses properly.
#define TOML_ASSERT(expression) static_cast<void>(0)
#include <toml++/toml.h>

#include "absl/status/status.h"
#include "base/clock.h"

namespace tachostat::simulate {

// Thread-compatible. The first error of all tables is kept in one place, and what is returned after
// it means nothing.
class TomlTable {
 public:
  // `where`: "burst.toml: model 1". `error` is shared by a file's tables.
  TomlTable(const toml::table& table, std::string where, absl::Status& error)
      : table_(&table), where_(std::move(where)), error_(&error) {}
  // Unknown keys are found when the table has been read.
  void no_more();

  bool has(const std::string& key) const { return table_->contains(key); }
  std::string text(const std::string& key);
  std::string text(const std::string& key, std::string otherwise);
  double number(const std::string& key, double least, double most);
  double number(const std::string& key, double least, double most, double otherwise);
  std::int64_t integer(const std::string& key, std::int64_t least, std::int64_t most,
                       std::int64_t otherwise);
  bool flag(const std::string& key, bool otherwise);
  // "20ms"
  base::Duration duration(const std::string& key, base::Duration otherwise);
  std::optional<base::Duration> duration(const std::string& key);
  // One, or a list.
  std::vector<base::Duration> durations(const std::string& key);
  std::vector<double> numbers(const std::string& key);
  double percent(const std::string& key, double otherwise);             // "1%" is 0.01
  std::uint64_t size(const std::string& key, std::uint64_t otherwise);  // "40MiB"
  std::vector<TomlTable> tables(const std::string& key);                // [[key]]
  std::optional<TomlTable> table(const std::string& key);               // [key]

  void fail(const std::string& key, const std::string& expected);
  const std::string& where() const { return where_; }
  bool ok() const { return error_->ok(); }

 private:
  const toml::node* node(const std::string& key);
  template <class Parse, class Value>
  Value parsed(const std::string& key, Parse parse, const char* expected, Value otherwise);

  const toml::table* table_;
  std::string where_;
  absl::Status* error_;
  std::set<std::string> asked_;
};

}  // namespace tachostat::simulate
