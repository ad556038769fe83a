// What the first request of each shape costs beyond the later ones: engines make kernels then.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/mutex.h"
#include "engine/engine.h"

namespace tachostat::app {

// Thread-safe. Engine threads add every inference of a session, since it was loaded.
class ColdShapes {
 public:
  static constexpr std::size_t kMostShapes = 256;  // of a session; later ones are not looked at
  // A shape's usual time is known once so many requests came after its first.
  static constexpr std::uint64_t kKnown = 2;

  struct Cost {
    double share = 0;            // time of first requests beyond the usual ÷ all time
    double factor = 1;           // first requests' time ÷ the usual
    std::uint64_t shapes = 0;    // whose usual time is known
    std::uint64_t requests = 0;  // of all shapes
  };

  void inferred(const engine::Execution& execution);
  void forget(std::uint64_t session);
  Cost cost(std::uint64_t session) const;

 private:
  struct Shape {
    double first_s = 0;
    double later_s = 0;
    std::uint64_t later = 0;
  };
  using Shapes = std::map<std::string, Shape, std::less<>>;

  mutable base::Mutex mutex_;
  std::map<std::uint64_t, Shapes> sessions_ TS_GUARDED_BY(mutex_);
};

}  // namespace tachostat::app
