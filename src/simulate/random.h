// Chance in the simulator, the same on every machine.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string_view>

#include "base/random.h"

namespace tachostat::simulate {

// Thread-compatible. Each user of chance has a stream of its own, so that another policy or one
// more variant leaves the arrivals as they were.
class Random {
 public:
  Random(std::uint64_t seed, std::string_view user) : bits_(mixed(seed, user)) {}

  double uniform() { return base::uniform(bits_); }  // in (0, 1)
  double exponential(double mean) { return -mean * std::log(uniform()); }
  double normal() { return base::normal(bits_); }
  std::size_t below(std::size_t count) {
    return std::min(count - 1, static_cast<std::size_t>(uniform() * static_cast<double>(count)));
  }

 private:
  // FNV-1a over the name, then the finaliser of splitmix64 (Steele, Lea, Flood, 2014).
  static std::uint64_t mixed(std::uint64_t seed, std::string_view user) {
    std::uint64_t hash = 0xcbf29ce484222325u;
    for (const char letter : user) {
      hash = (hash ^ static_cast<unsigned char>(letter)) * 0x100000001b3u;
    }
    hash += seed * 0x9e3779b97f4a7c15u;
    hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9u;
    hash = (hash ^ (hash >> 27)) * 0x94d049bb133111ebu;
    return hash ^ (hash >> 31);
  }

  std::mt19937_64 bits_;
};

}  // namespace tachostat::simulate
