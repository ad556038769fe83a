// Random numbers that are the same on every machine: the standard library's distributions are not.
#pragma once

#include <cmath>
#include <numbers>
#include <random>

namespace tachostat::base {

// In (0, 1).
inline double uniform(std::mt19937_64& bits) {
  return (static_cast<double>(bits() >> 12) + 0.5) * 0x1p-52;
}

// Of mean 0 and variance 1 (Box and Muller, 1958).
inline double normal(std::mt19937_64& bits) {
  const double radius = std::sqrt(-2 * std::log(uniform(bits)));
  return radius * std::cos(2 * std::numbers::pi * uniform(bits));
}

}  // namespace tachostat::base
