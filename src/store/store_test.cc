// What every store promises, for each of them.
#include "store/store.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "base/thread.h"

namespace tachostat::store {
namespace {

class AnyStore : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    directory_ = testing::TempDir() + "/any_store_" + std::to_string(getpid());
    std::filesystem::remove_all(directory_);
    if (!GetParam()) {
      store_ = open_memory();
      return;
    }
    auto opened = open_sqlite(directory_);
    ASSERT_TRUE(opened.ok()) << opened.status();
    store_ = *std::move(opened);
  }
  void TearDown() override {
    store_.reset();
    std::filesystem::remove_all(directory_);
  }
  std::vector<std::string> latest(std::string_view kind, std::string_view key, int limit) {
    std::vector<std::string> texts;
    const auto rows = store_->latest(kind, key, limit);
    EXPECT_TRUE(rows.ok()) << rows.status();
    for (const Row& row : *rows) texts.push_back(row.json);
    return texts;
  }

  std::string directory_;
  std::unique_ptr<Store> store_;
};

using Texts = std::vector<std::string>;

TEST_P(AnyStore, GivesTheNewestOldestFirst) {
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(store_->append("trial", "net", 100 - i, std::to_string(i)).ok());
  }
  ASSERT_TRUE(store_->append("trial", "other", 0, "x").ok());
  ASSERT_TRUE(store_->append("decision", "net", 0, "y").ok());
  EXPECT_EQ(latest("trial", "net", 3), (Texts{"2", "3", "4"}));
  EXPECT_EQ(latest("trial", "net", 100), (Texts{"0", "1", "2", "3", "4"}));
  EXPECT_EQ(latest("trial", "other", 9), Texts{"x"});
  EXPECT_EQ(latest("profile", "net", 9), Texts{});
  EXPECT_EQ(latest("trial", "net", 0), Texts{});
  EXPECT_EQ(latest("trial", "net", -1), Texts{});
  const auto rows = store_->latest("trial", "net", 2);
  EXPECT_LT((*rows)[0].id, (*rows)[1].id);
  EXPECT_EQ((*rows)[1].unix_ms, 96);
}

TEST_P(AnyStore, KeepsAnyText) {
  const std::string strange("a\0'\";--\xff", 8);
  ASSERT_TRUE(store_->append(strange, strange, -1, strange).ok());
  ASSERT_TRUE(store_->append("", "", 0, "").ok());
  EXPECT_EQ(latest(strange, strange, 1), Texts{strange});
  EXPECT_EQ(latest("", "", 1), Texts{""});
}

TEST_P(AnyStore, TakesManyWritersAndReaders) {
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread) {
      threads.push_back(base::start_thread("writer", [&, thread](const std::stop_token&) {
        for (int i = 0; i < 50; ++i) {
          EXPECT_TRUE(store_->append("trial", std::to_string(thread), i, std::to_string(i)).ok());
          EXPECT_TRUE(store_->latest("trial", "0", 3).ok());
        }
      }));
    }
  }
  for (int thread = 0; thread < 4; ++thread) {
    EXPECT_EQ(latest("trial", std::to_string(thread), 1000).size(), 50u);
    EXPECT_EQ(latest("trial", std::to_string(thread), 1), Texts{"49"});
  }
}

INSTANTIATE_TEST_SUITE_P(Stores, AnyStore, testing::Bool(),
                         [](const auto& instance) { return instance.param ? "Sqlite" : "Memory"; });

}  // namespace
}  // namespace tachostat::store
