#include "simulate/toml_table.h"

#include <cmath>

#include "base/status.h"
#include "base/units.h"

namespace tachostat::simulate {
namespace {

std::string found(const toml::node* node) {
  if (node == nullptr) return "nothing";
  if (const auto text = node->value<std::string>()) return "'" + *text + "'";
  if (const auto number = node->value<double>()) return fmt::format("{:g}", *number);
  if (node->is_table()) return "a table";
  if (node->is_array()) return "a list";
  return "something else";
}

}  // namespace

const toml::node* TomlTable::node(const std::string& key) {
  asked_.insert(key);
  return table_->get(key);
}

void TomlTable::fail(const std::string& key, const std::string& expected) {
  if (!error_->ok()) return;
  *error_ = base::invalid_argument("{}: '{}': expected {}, found {}", where_, key, expected,
                                   found(table_->get(key)));
}

void TomlTable::no_more() {
  if (!error_->ok()) return;
  for (const auto& [key, value] : *table_) {
    if (asked_.contains(std::string(key.str()))) continue;
    std::string known;
    for (const std::string& each : asked_) known += (known.empty() ? "" : ", ") + each;
    *error_ = base::invalid_argument("{}: unknown key '{}': there are {}", where_,
                                     std::string(key.str()), known);
    return;
  }
}

std::string TomlTable::text(const std::string& key) {
  const toml::node* value = node(key);
  if (value != nullptr && value->is_string()) return **value->as_string();
  fail(key, "a text");
  return "";
}

std::string TomlTable::text(const std::string& key, std::string otherwise) {
  return node(key) == nullptr ? std::move(otherwise) : text(key);
}

double TomlTable::number(const std::string& key, double least, double most) {
  const toml::node* value = node(key);
  const auto number =
      value != nullptr && value->is_number() ? value->value<double>() : std::optional<double>();
  if (number && std::isfinite(*number) && *number >= least && *number <= most) return *number;
  fail(key, most < std::numeric_limits<double>::max()
                ? fmt::format("a number from {:g} to {:g}", least, most)
                : fmt::format("a number of {:g} or more", least));
  return least;
}

double TomlTable::number(const std::string& key, double least, double most, double otherwise) {
  return node(key) == nullptr ? otherwise : number(key, least, most);
}

std::int64_t TomlTable::integer(const std::string& key, std::int64_t least, std::int64_t most,
                                std::int64_t otherwise) {
  const toml::node* value = node(key);
  if (value == nullptr) return otherwise;
  if (value->is_integer() && **value->as_integer() >= least && **value->as_integer() <= most) {
    return **value->as_integer();
  }
  fail(key, fmt::format("a whole number from {} to {}", least, most));
  return otherwise;
}

bool TomlTable::flag(const std::string& key, bool otherwise) {
  const toml::node* value = node(key);
  if (value == nullptr) return otherwise;
  if (value->is_boolean()) return **value->as_boolean();
  fail(key, "true or false");
  return otherwise;
}

template <class Parse, class Value>
Value TomlTable::parsed(const std::string& key, Parse parse, const char* expected,
                        Value otherwise) {
  const toml::node* value = node(key);
  if (value == nullptr) return otherwise;
  if (value->is_string()) {
    const auto result = parse(**value->as_string());
    if (result.ok()) return *result;
  }
  fail(key, expected);
  return otherwise;
}

base::Duration TomlTable::duration(const std::string& key, base::Duration otherwise) {
  const base::Duration value =
      parsed(key, base::parse_duration, "a duration such as \"20ms\"", otherwise);
  if (value < base::Duration(0)) fail(key, "a duration of 0 or more");
  return value;
}

std::optional<base::Duration> TomlTable::duration(const std::string& key) {
  if (node(key) == nullptr) return std::nullopt;
  return duration(key, base::Duration(0));
}

std::vector<base::Duration> TomlTable::durations(const std::string& key) {
  const toml::node* value = node(key);
  std::vector<base::Duration> durations;
  if (value != nullptr && value->is_array()) {
    for (const toml::node& each : *value->as_array()) {
      const auto duration = each.is_string() ? base::parse_duration(**each.as_string())
                                             : absl::InvalidArgumentError("");
      if (!duration.ok() || *duration <= base::Duration(0)) {
        fail(key, "durations over 0 such as [\"8ms\", \"14ms\"]");
        return {};
      }
      durations.push_back(*duration);
    }
  } else if (const auto one = duration(key); one && *one > base::Duration(0)) {
    durations.push_back(*one);
  }
  if (durations.empty()) fail(key, "a duration over 0 such as \"8ms\", or a list of them");
  return durations;
}

std::vector<double> TomlTable::numbers(const std::string& key) {
  const toml::node* value = node(key);
  std::vector<double> numbers;
  if (value != nullptr && value->is_array()) {
    for (const toml::node& each : *value->as_array()) {
      const auto number = each.is_number() ? each.value<double>() : std::optional<double>();
      if (!number || !(*number >= 0) || !std::isfinite(*number)) {
        fail(key, "numbers of 0 or more such as [50, 300]");
        return {};
      }
      numbers.push_back(*number);
    }
  }
  if (numbers.empty()) fail(key, "a list of numbers such as [50, 300]");
  return numbers;
}

double TomlTable::percent(const std::string& key, double otherwise) {
  return parsed(key, base::parse_percent, "a share such as \"1%\"", otherwise);
}

std::uint64_t TomlTable::size(const std::string& key, std::uint64_t otherwise) {
  return parsed(key, base::parse_size, "a size such as \"40MiB\"", otherwise);
}

std::vector<TomlTable> TomlTable::tables(const std::string& key) {
  const toml::node* value = node(key);
  std::vector<TomlTable> tables;
  if (value == nullptr) return tables;
  if (!value->is_array_of_tables()) {
    fail(key, fmt::format("tables, written [[{}]]", key));
    return tables;
  }
  for (const toml::node& each : *value->as_array()) {
    const std::string where = fmt::format("{}: {} {}", where_, key, tables.size() + 1);
    tables.emplace_back(*each.as_table(), where, *error_);
  }
  return tables;
}

std::optional<TomlTable> TomlTable::table(const std::string& key) {
  const toml::node* value = node(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_table()) {
    fail(key, fmt::format("a table, written [{}]", key));
    return std::nullopt;
  }
  return TomlTable(*value->as_table(), where_ + ": " + key, *error_);
}

}  // namespace tachostat::simulate
