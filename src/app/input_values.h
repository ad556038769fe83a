// Mean and spread of the numbers that requests bring, for seeing them drift. Statistics only: no
// number of a request can be had back.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "app/readings.h"
#include "engine/engine.h"

namespace tachostat::app {

// Thread-compatible. The past fades: halved every kKept requests.
class InputValues {
 public:
  static constexpr std::uint64_t kKept = 600;
  static constexpr std::size_t kMostElements = 4096;  // of one input of one request, spread over it

  void add(const std::vector<engine::Tensor>& inputs);
  // `input/NAME/mean` and `input/NAME/deviation` of each whose elements are numbers.
  void fill(Readings& readings) const;

 private:
  struct PerInput {
    std::string name;
    double requests = 0;
    double count = 0;  // elements, as the sums below
    double sum = 0;
    double squares = 0;
    double low = 0;  // least and most mean of one request
    double high = 0;
  };
  PerInput& of(const std::string& name);

  std::vector<PerInput> inputs_;
};

}  // namespace tachostat::app
