// `tachostat top`: what a server does now, redrawn every second.
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <memory>
#include <thread>

#include "base/status.h"
#include "base/units.h"
#include "cli/progress.h"
#include "cli/server.h"

namespace tachostat::cli {
namespace {

using nlohmann::json;

struct Flags {
  std::string url = "http://127.0.0.1:8000";
  std::string name;
  bool once = false;
};

struct Snapshot {
  json state;
  json machine;
  std::optional<profile::Profile> profile;
  std::string no_profile;  // why there is none
};

absl::StatusOr<Snapshot> read(const Server& server) {
  Snapshot now;
  TS_ASSIGN_OR_RETURN(now.state, server.get(""));
  TS_ASSIGN_OR_RETURN(const std::string machine, server.call_root("GET", "/tachostat/v1/machine"));
  now.machine = json::parse(machine, nullptr, false);
  const absl::StatusOr<std::string> text = server.call("GET", "/profile");
  if (!text.ok()) {
    now.no_profile = std::string(base::message_of(text.status()));
    return now;
  }
  TS_ASSIGN_OR_RETURN(now.profile, profile::from_json(*text));
  return now;
}

std::string text_of(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "?";
}

double number_of(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number() ? found->get<double>() : 0;
}

std::string target_line(const json& state) {
  const json targets = state.value("targets", json::object());
  const std::string p99 = text_of(targets, "p99");
  std::string line = fmt::format("p99 {:.2f} ms", number_of(state, "p99_ms"));
  if (p99 == "?") {
    line += " (no target)";
  } else {
    const json met = state.value("target_met", json());
    line += fmt::format(" (target {}: {})", p99,
                        !met.is_boolean() ? "too little traffic"
                        : met.get<bool>() ? "met"
                                          : "MISSED");
  }
  const json profiling = state.value("profiling", json::object());
  line += fmt::format("   {:.1f} requests/s   profiling {:.2f}% of {:.2f}%",
                      number_of(state, "throughput"), number_of(profiling, "overhead") * 100,
                      number_of(profiling, "budget") * 100);
  return line;
}

std::string value_text(const json& value) {
  const bool is_rate = value.contains("rate");
  const double number = number_of(value, is_rate ? "rate" : "value");
  const std::string unit = text_of(value, is_rate ? "rate_unit" : "unit");
  if (unit == "1") return fmt::format("{:.3g}", number);
  if (unit == "By") return base::format_size(number);
  if (unit == "Hz") return base::format_count(number) + "Hz";
  return fmt::format("{:.3g} {}", number, unit == "Cel" ? "°C" : unit);
}

// What is worth a look: levels, and counters that move.
std::vector<std::pair<std::string, std::string>> readings_of(const json& machine) {
  std::vector<std::pair<std::string, std::string>> readings;
  for (const json& sensor : machine.value("sensors", json::array())) {
    if (!sensor.is_object()) continue;
    for (const json& value : sensor.value("values", json::array())) {
      if (!value.is_object()) continue;
      const bool is_counter = text_of(value, "kind") == "counter";
      if (is_counter && number_of(value, "rate") <= 0) continue;
      readings.emplace_back(text_of(value, "name"), value_text(value));
    }
  }
  return readings;
}

// Side by side, as many as fit.
std::string sensor_lines(const json& machine, std::size_t most_lines, std::size_t width) {
  constexpr std::size_t kColumn = 40;
  const std::size_t columns = std::max<std::size_t>(1, width / kColumn);
  std::string lines;
  std::size_t shown = 0;
  for (const auto& [name, value] : readings_of(machine)) {
    if (shown >= most_lines * columns) break;
    lines += fmt::format("{:<26.26} {:<12.12} ", name, value);
    if (++shown % columns == 0) lines += "\n";
  }
  if (shown % columns != 0) lines += "\n";
  return lines;
}

std::string draw(const Snapshot& now, const std::string& url, std::size_t rows, std::size_t width) {
  std::string screen = fmt::format("{}  {}  {}   {}\n{}\n\n", text_of(now.state, "model"),
                                   text_of(now.state, "phase"), text_of(now.state, "variant"), url,
                                   target_line(now.state));
  const std::size_t sensor_rows = rows > 30 ? 10 : 4;
  if (now.profile) {
    const std::size_t fixed = 16 + sensor_rows;
    const int layers = rows > fixed + 3 ? static_cast<int>(rows - fixed) : 3;
    screen += profile::to_text(*now.profile, layers);
  } else {
    screen += now.no_profile + "\n";
  }
  const std::string sensors = sensor_lines(now.machine, sensor_rows, width);
  if (!sensors.empty()) screen += "\n" + sensors;
  return screen;
}

std::pair<std::size_t, std::size_t> terminal_size() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0) return {50, 120};
  return {size.ws_row, size.ws_col};
}

// Long lines would wrap and scroll the screen.
std::string clipped(const std::string& text, std::size_t rows, std::size_t width) {
  std::string out;
  std::size_t at = 0;
  for (std::size_t row = 0; row + 1 < rows && at < text.size(); ++row) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::size_t cut = std::min(end - at, width);
    // Not in the middle of a character of UTF-8.
    while (cut > 0 && cut < end - at && (static_cast<unsigned char>(text[at + cut]) & 0xC0) == 0x80)
      --cut;
    out += text.substr(at, cut) + "\033[K\n";
    at = end + 1;
  }
  return out;
}

absl::Status watch(const Server& server, const std::string& url) {
  catch_interrupt();
  while (!interrupted()) {
    const absl::StatusOr<Snapshot> now = read(server);
    if (!now.ok()) return base::with_context(now.status(), "the server went away");
    const auto [rows, width] = terminal_size();
    fmt::print("\033[H{}\033[J", clipped(draw(*now, url, rows, width), rows, width));
    std::fflush(stdout);
    for (int i = 0; i < 10 && !interrupted(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
  }
  return absl::OkStatus();
}

absl::Status run(const Common& common, const Flags& flags) {
  TS_ASSIGN_OR_RETURN(const Server server, Server::connect(flags.url, flags.name));
  if (!common.json && !flags.once && isatty(STDOUT_FILENO) == 1) return watch(server, flags.url);
  TS_ASSIGN_OR_RETURN(const Snapshot now, read(server));
  if (common.json) {
    const json profile = now.profile ? json::parse(profile::to_json(*now.profile)) : json(nullptr);
    const json document = {{"state", now.state}, {"machine", now.machine}, {"profile", profile}};
    fmt::print("{}\n", document.dump(2, ' ', false, json::error_handler_t::replace));
  } else {
    fmt::print("{}", draw(now, flags.url, 50, 120));
  }
  return absl::OkStatus();
}

}  // namespace

Run add_top(CLI::App& command) {
  auto flags = std::make_shared<Flags>();
  command.add_option("url", flags->url, "a tachostat server")->capture_default_str();
  command.add_option("--name", flags->name, "the model, when the server has several");
  command.add_flag("--once", flags->once, "print once and end, as in a pipe");
  return [flags](const Common& common) {
    const absl::Status status = run(common, *flags);
    return status.ok() ? kYes : report(status);
  };
}

}  // namespace tachostat::cli
