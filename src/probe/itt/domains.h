// Which of the instrumented libraries' domains mean what.
#pragma once

#include <string_view>

#include "probe/itt/collector.h"
#include "trace/trace.h"

namespace tachostat::probe::itt {

struct DomainClass {
  trace::Kind kind = trace::Kind::kOther;
  Level level = Level::kAll;  // the least level at which it is on
};

inline DomainClass classify(std::string_view domain) {
  struct Known {
    std::string_view name;
    DomainClass meaning;
  };
  static constexpr Known kKnown[] = {
      {"ov::phases::cpu::inference", {trace::Kind::kRequest, Level::kLayers}},
      {"ov::op::cpu::details", {trace::Kind::kLayer, Level::kLayers}},
      {"ov::op::cpu::exec", {trace::Kind::kOperator, Level::kKernels}},
      {"dnnl::primitive::execute", {trace::Kind::kPrimitive, Level::kKernels}},
      {"dnnl", {trace::Kind::kPrimitive, Level::kKernels}},  // as other builds of oneDNN call it
      {"tbb", {trace::Kind::kWorker, Level::kKernels}},
      // Other frameworks', met only in recorded processes: PyTorch's emit_itt() and range_push().
      {"PyTorch", {trace::Kind::kLayer, Level::kLayers}},
  };
  for (const Known& known : kKnown) {
    if (known.name == domain) return known.meaning;
  }
  return {};
}

// A class in the integer that ITT leaves us in each domain, so that a task finds it without a
// search.
inline int pack(DomainClass meaning) {
  return static_cast<int>(meaning.kind) | static_cast<int>(meaning.level) << 8;
}
inline DomainClass unpack(int packed) {
  return {static_cast<trace::Kind>(packed & 0xff), static_cast<Level>(packed >> 8 & 0xff)};
}

}  // namespace tachostat::probe::itt
