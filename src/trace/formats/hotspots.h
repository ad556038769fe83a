// What the readers of sampling profilers' function tables share.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "trace/formats/csv.h"
#include "trace/import.h"

namespace tachostat::trace {

struct Hotspot {
  std::string_view function = {};
  std::string_view module = {};
  double total_ns = -1;     // -1: not told
  std::uint64_t count = 1;  // samples do not tell how often a function ran: one execution
  std::map<std::string, double> metrics = {};
};

// Functions as rows. Those of one name in several modules are told apart; one that is seen twice
// (two threads, two call paths) is added up.
class Hotspots {
 public:
  // More functions than any program has.
  static constexpr std::size_t kMost = 2'000'000;

  // ResourceExhausted beyond kMost.
  absl::Status add(const Hotspot& spot);
  // A function that another table of the same run knows too: only its new metrics count.
  absl::Status join(const Hotspot& spot);
  bool empty() const { return sums_.empty(); }
  // Fills layers, the slowest first, and notes what the numbers mean.
  void move_to(Import& import);

 private:
  struct Sum {
    double total_ns = -1;
    std::uint64_t count = 0;
    std::map<std::string, double> metrics = {};
  };
  std::map<std::pair<std::string, std::string>, Sum> sums_;  // by function and module
  bool sampled_ = false;
};

// The columns that are none of `taken` and hold a number in this row, by their names.
std::map<std::string, double> other_numbers(const CsvColumns& columns,
                                            const std::vector<std::string>& row,
                                            const std::vector<std::size_t>& taken);

}  // namespace tachostat::trace
