// Requests joined along axis 0 into one inference, and its outputs split again.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/mutex.h"
#include "engine/engine.h"
#include "model/model.h"

namespace tachostat::schedule {

// Buffers for joined inputs, used again and again. Thread-safe; must be held by shared_ptr, which a
// buffer keeps until it is back.
class BufferPool : public std::enable_shared_from_this<BufferPool> {
 public:
  static constexpr std::size_t kKept = 16;       // idle buffers; more are freed
  static constexpr std::size_t kAlignment = 64;  // a cache line and the widest vector

  BufferPool() = default;
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;
  ~BufferPool();

  std::shared_ptr<std::byte> take(std::size_t bytes);
  std::size_t idle() const;

 private:
  struct Buffer {
    std::byte* data;
    std::size_t capacity;
  };
  void give_back(Buffer buffer);

  mutable base::Mutex mutex_;
  std::vector<Buffer> idle_ TS_GUARDED_BY(mutex_);
};

// Axis 0 of all inputs; 0 when they have none in common or the request cannot be joined with any
// other (a scalar, strings, elements below a byte, no rows).
std::int64_t rows_of(const std::vector<engine::Tensor>& inputs);

// Different keys: cannot be joined. Equal keys: ask can_join(). 0 for what rows_of() is 0 for.
std::uint64_t join_key(const std::vector<engine::Tensor>& inputs);

// Equal names, types, and shapes apart from axis 0.
bool can_join(const std::vector<engine::Tensor>& one, const std::vector<engine::Tensor>& other);

// Copies the rows of all requests, in order, into one buffer. All can be joined with the first.
std::vector<engine::Tensor> join(std::span<const std::vector<engine::Tensor>* const> requests,
                                 BufferPool& pool);

// Whether each output has `rows` rows of whole bytes, so that it can be split.
bool has_rows(const std::vector<engine::Tensor>& outputs, std::int64_t rows);

// Views of `count` rows from `first` on; they share the outputs' owners.
std::vector<engine::Tensor> split(const std::vector<engine::Tensor>& outputs, std::int64_t first,
                                  std::int64_t count);

// False when the declared shapes alone show that outputs do not grow with axis 0 of the inputs.
bool may_batch(const model::Graph& graph);

}  // namespace tachostat::schedule
