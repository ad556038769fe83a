// Output buffers that come back to their pool when the last tensor that shows them is dropped.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "base/mutex.h"

namespace tachostat::engine {

// Thread-safe. Buffers may outlive the pool. Holds as many as were ever out at once, each as large
// as the largest request it served.
class BufferPool {
 public:
  struct Buffer {
    std::span<std::byte> data;
    std::shared_ptr<const void> owner;
  };

  // At least `size` bytes, aligned to a cache line, contents undefined.
  Buffer take(std::size_t size);

  std::size_t idle() const;

  static constexpr std::size_t kAlignment = 64;

 private:
  struct Block;
  struct Shelf;
  const std::shared_ptr<Shelf> shelf_ = make_shelf();
  static std::shared_ptr<Shelf> make_shelf();
};

}  // namespace tachostat::engine
