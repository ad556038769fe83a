#include "engine/openvino/buffers.h"

#include <gtest/gtest.h>

#include <thread>

namespace tachostat::engine {
namespace {

TEST(BufferPoolTest, ReusesWhatComesBack) {
  BufferPool pool;
  BufferPool::Buffer first = pool.take(100);
  EXPECT_EQ(first.data.size(), 100);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(first.data.data()) % BufferPool::kAlignment, 0);
  const std::byte* const place = first.data.data();
  EXPECT_NE(pool.take(100).data.data(), place);
  EXPECT_EQ(pool.idle(), 1);
  first.owner.reset();
  EXPECT_EQ(pool.idle(), 2);
  EXPECT_EQ(pool.take(50).data.data(), place);
}

TEST(BufferPoolTest, GrowsAndTakesNothing) {
  BufferPool pool;
  pool.take(10);
  const BufferPool::Buffer large = pool.take(1000);
  EXPECT_EQ(large.data.size(), 1000);
  EXPECT_EQ(pool.take(0).data.size(), 0);
}

TEST(BufferPoolTest, BuffersOutliveThePool) {
  BufferPool::Buffer buffer;
  {
    BufferPool pool;
    buffer = pool.take(8);
  }
  buffer.data[7] = std::byte{1};
  buffer.owner.reset();
}

TEST(BufferPoolTest, ManyThreads) {
  BufferPool pool;
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&pool, t] {
      for (int i = 0; i < 500; ++i) {
        const BufferPool::Buffer buffer = pool.take(64);
        std::fill(buffer.data.begin(), buffer.data.end(), static_cast<std::byte>(t));
        for (const std::byte byte : buffer.data) ASSERT_EQ(byte, static_cast<std::byte>(t));
      }
    });
  }
  threads.clear();
  EXPECT_LE(pool.idle(), 4);
}

}  // namespace
}  // namespace tachostat::engine
