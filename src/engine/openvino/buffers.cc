#include "engine/openvino/buffers.h"

#include <new>
#include <utility>

namespace tachostat::engine {

struct BufferPool::Block {
  explicit Block(std::size_t bytes)
      : size(bytes),
        data(static_cast<std::byte*>(::operator new(bytes, std::align_val_t(kAlignment)))) {}
  ~Block() { ::operator delete(data, std::align_val_t(kAlignment)); }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  const std::size_t size;
  std::byte* const data;
};

struct BufferPool::Shelf {
  base::Mutex mutex;
  std::vector<std::unique_ptr<Block>> blocks TS_GUARDED_BY(mutex);
};

std::shared_ptr<BufferPool::Shelf> BufferPool::make_shelf() { return std::make_shared<Shelf>(); }

BufferPool::Buffer BufferPool::take(std::size_t size) {
  std::unique_ptr<Block> block;
  {
    base::MutexLock lock(shelf_->mutex);
    if (!shelf_->blocks.empty()) {
      block = std::move(shelf_->blocks.back());
      shelf_->blocks.pop_back();
    }
  }
  if (block == nullptr || block->size < size) block = std::make_unique<Block>(size);
  const std::span<std::byte> data(block->data, size);
  std::shared_ptr<const void> owner(block.release(), [shelf = shelf_](Block* back) {
    std::unique_ptr<Block> returned(back);
    base::MutexLock lock(shelf->mutex);
    shelf->blocks.push_back(std::move(returned));
  });
  return {data, std::move(owner)};
}

std::size_t BufferPool::idle() const {
  base::MutexLock lock(shelf_->mutex);
  return shelf_->blocks.size();
}

}  // namespace tachostat::engine
