// A snapshot for programs and for people.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/status.h"
#include "base/units.h"
#include "probe/sensors/poller.h"

namespace tachostat::probe {
namespace {

using nlohmann::json;

json to_object(const SensorStatus::Value& value) {
  const bool is_counter = value.reading.kind == Reading::Kind::kCounter;
  json object = {{"name", value.reading.name},
                 {"unit", value.reading.unit},
                 {"kind", is_counter ? "counter" : "level"},
                 {"value", value.reading.value}};
  if (value.rate) object["rate"] = *value.rate;
  if (is_counter) object["rate_unit"] = value.rate_unit;
  if (!value.doubt.empty()) object["doubt"] = value.doubt;
  return object;
}

json to_object(const SensorStatus& sensor) {
  json object = {{"name", sensor.name}, {"available", sensor.available.ok()}};
  if (!sensor.available.ok()) {
    object["reason"] = base::message_of(sensor.available);
    return object;
  }
  if (!sensor.last_read.ok()) object["error"] = base::message_of(sensor.last_read);
  object["values"] = json::array();
  for (const SensorStatus::Value& value : sensor.values)
    object["values"].push_back(to_object(value));
  object["facts"] = json::object();
  for (const Fact& fact : sensor.facts) object["facts"][fact.name] = fact.value;
  object["left_out"] = sensor.left_out;
  return object;
}

std::string for_people(double value, std::string_view unit) {
  if (unit == "Cel") return fmt::format("{:.1f} °C", value);
  if (unit == "By") return base::format_size(value);
  if (unit == "By/s") return base::format_size(value) + "/s";
  if (unit == "Hz") return fmt::format("{:.0f} MHz", value * 1e-6);
  // Shares and counts: 0.25, 4.09M.
  if (unit == "1") return value < 1000 ? fmt::format("{:.4g}", value) : base::format_count(value);
  if (unit == "1/s") return base::format_count(value) + "/s";
  return fmt::format("{:.4g} {}", value, unit);
}

std::string line_of(const SensorStatus::Value& value) {
  std::string line = fmt::format("  {:<40} {}", value.reading.name,
                                 for_people(value.reading.value, value.reading.unit));
  if (value.rate) line += fmt::format(", {}", for_people(*value.rate, value.rate_unit));
  if (!value.doubt.empty()) line += fmt::format(" ({})", value.doubt);
  return line + "\n";
}

}  // namespace

std::string to_json(const SensorSnapshot& snapshot) {
  json sensors = json::array();
  for (const SensorStatus& sensor : snapshot.sensors) sensors.push_back(to_object(sensor));
  const json document = {{"at", base::format_unix_time(snapshot.unix_time)},
                         {"polls", snapshot.polls},
                         {"sensors", std::move(sensors)}};
  // Names come from drivers and firmware: they may hold anything.
  return document.dump(2, ' ', false, json::error_handler_t::replace);
}

std::string to_text(const SensorSnapshot& snapshot) {
  std::string text;
  for (const SensorStatus& sensor : snapshot.sensors) {
    if (!sensor.available.ok()) {
      text += fmt::format("{:<12}unavailable: {}\n", sensor.name, sensor.available.message());
      continue;
    }
    text += sensor.last_read.ok()
                ? fmt::format("{:<12}available\n", sensor.name)
                : fmt::format("{:<12}silent: {}\n", sensor.name, sensor.last_read.message());
    for (const SensorStatus::Value& value : sensor.values) text += line_of(value);
    for (const Fact& fact : sensor.facts)
      text += fmt::format("  {:<40} {}\n", fact.name, fact.value);
    for (const std::string& lie : sensor.left_out) text += fmt::format("  left out: {}\n", lie);
  }
  return text;
}

}  // namespace tachostat::probe
