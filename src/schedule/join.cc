#include "schedule/join.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <new>

namespace tachostat::schedule {
namespace {

using engine::Tensor;

std::size_t aligned(std::size_t bytes) {
  return (bytes + BufferPool::kAlignment - 1) / BufferPool::kAlignment * BufferPool::kAlignment;
}

std::byte* allocate(std::size_t bytes) {
  return static_cast<std::byte*>(::operator new(bytes, std::align_val_t{BufferPool::kAlignment}));
}
void release(std::byte* data) { ::operator delete(data, std::align_val_t{BufferPool::kAlignment}); }

const Tensor* find(const std::vector<Tensor>& tensors, const std::string& name) {
  for (const Tensor& tensor : tensors) {
    if (tensor.name == name) return &tensor;
  }
  return nullptr;
}

bool has_whole_bytes(model::DataType type) {
  const int bits = model::bits_of(type);
  return bits > 0 && bits % 8 == 0;
}

}  // namespace

BufferPool::~BufferPool() {
  for (const Buffer& buffer : idle_) release(buffer.data);
}

std::shared_ptr<std::byte> BufferPool::take(std::size_t bytes) {
  Buffer buffer{nullptr, 0};
  {
    base::MutexLock lock(mutex_);
    const auto fit = std::find_if(idle_.begin(), idle_.end(),
                                  [bytes](const Buffer& each) { return each.capacity >= bytes; });
    if (fit != idle_.end()) {
      buffer = *fit;
      idle_.erase(fit);
    }
  }
  if (buffer.data == nullptr) {
    // A power of two, so that batches of other sizes find it useful.
    std::size_t capacity = 4096;
    while (capacity < bytes) capacity *= 2;
    buffer = {allocate(capacity), capacity};
  }
  return {buffer.data,
          [pool = shared_from_this(), buffer](std::byte*) { pool->give_back(buffer); }};
}

void BufferPool::give_back(Buffer buffer) {
  {
    base::MutexLock lock(mutex_);
    idle_.push_back(buffer);
    if (idle_.size() <= kKept) return;
    buffer = idle_.front();  // too small for whoever came lately
    idle_.erase(idle_.begin());
  }
  release(buffer.data);
}

std::size_t BufferPool::idle() const {
  base::MutexLock lock(mutex_);
  return idle_.size();
}

std::int64_t rows_of(const std::vector<Tensor>& inputs) {
  std::int64_t rows = 0;
  for (const Tensor& input : inputs) {
    // Rows of no bytes could be any number of rows.
    if (input.shape.empty() || input.data.empty() || !has_whole_bytes(input.type)) return 0;
    if (rows != 0 && rows != input.shape[0]) return 0;
    rows = input.shape[0];
  }
  return rows;
}

std::uint64_t join_key(const std::vector<Tensor>& inputs) {
  if (rows_of(inputs) == 0) return 0;
  std::uint64_t key = 1;
  for (const Tensor& input : inputs) {
    std::uint64_t hash =
        std::hash<std::string>()(input.name) + static_cast<std::uint64_t>(input.type);
    for (std::size_t i = 1; i < input.shape.size(); ++i) {
      hash = hash * 0x9E3779B97F4A7C15u + static_cast<std::uint64_t>(input.shape[i]);
    }
    key += hash;  // a sum, since inputs come in any order
  }
  return std::max<std::uint64_t>(key, 1);
}

bool can_join(const std::vector<Tensor>& one, const std::vector<Tensor>& other) {
  if (one.size() != other.size()) return false;
  return std::all_of(one.begin(), one.end(), [&](const Tensor& input) {
    const Tensor* partner = find(other, input.name);
    return partner != nullptr && partner->type == input.type && !input.shape.empty() &&
           partner->shape.size() == input.shape.size() &&
           std::equal(input.shape.begin() + 1, input.shape.end(), partner->shape.begin() + 1);
  });
}

std::vector<Tensor> join(std::span<const std::vector<Tensor>* const> requests, BufferPool& pool) {
  const std::vector<Tensor>& first = *requests.front();
  std::size_t bytes = 0;
  for (const Tensor& input : first) {
    std::size_t all = 0;
    for (const auto* request : requests) all += find(*request, input.name)->data.size();
    bytes += aligned(all);
  }
  const std::shared_ptr<std::byte> buffer = pool.take(bytes);
  std::vector<Tensor> joined;
  joined.reserve(first.size());
  std::size_t begin = 0;
  for (const Tensor& input : first) {
    Tensor& whole = joined.emplace_back();
    whole.name = input.name;
    whole.type = input.type;
    whole.shape = input.shape;
    whole.shape[0] = 0;
    whole.owner = buffer;
    std::size_t end = begin;
    for (const auto* request : requests) {
      const Tensor& part = *find(*request, input.name);
      if (!part.data.empty()) std::memcpy(buffer.get() + end, part.data.data(), part.data.size());
      end += part.data.size();
      whole.shape[0] += part.shape[0];
    }
    whole.data = {buffer.get() + begin, end - begin};
    begin = aligned(end);
  }
  return joined;
}

bool has_rows(const std::vector<Tensor>& outputs, std::int64_t rows) {
  return std::all_of(outputs.begin(), outputs.end(), [&](const Tensor& output) {
    return !output.shape.empty() && output.shape[0] == rows && has_whole_bytes(output.type) &&
           output.data.size() % static_cast<std::size_t>(rows) == 0;
  });
}

std::vector<Tensor> split(const std::vector<Tensor>& outputs, std::int64_t first,
                          std::int64_t count) {
  std::vector<Tensor> part = outputs;
  for (Tensor& output : part) {
    const std::size_t row = output.data.size() / static_cast<std::size_t>(output.shape[0]);
    output.data = output.data.subspan(static_cast<std::size_t>(first) * row,
                                      static_cast<std::size_t>(count) * row);
    output.shape[0] = count;
  }
  return part;
}

bool may_batch(const model::Graph& graph) {
  if (graph.inputs.empty()) return false;
  for (const model::Port& input : graph.inputs) {
    if (input.shape.empty()) return false;
  }
  const std::int64_t rows = graph.inputs.front().shape[0];
  return std::none_of(graph.outputs.begin(), graph.outputs.end(), [&](const model::Port& output) {
    // An empty shape may be an unknown rank: the first answers will tell.
    return !output.shape.empty() && output.shape[0] >= 0 && output.shape[0] != rows;
  });
}

}  // namespace tachostat::schedule
