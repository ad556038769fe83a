#include "store/sqlite.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/status.h"

namespace tachostat::store {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
void write_file(const fs::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

class SqliteStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::path(testing::TempDir()) / ("sqlite_store_" + std::to_string(getpid()));
    fs::remove_all(root_);
    directory_ = root_ / "a" / "b";  // not there yet
    file_ = directory_ / "tachostat.db";
  }
  void TearDown() override { fs::remove_all(root_); }

  std::unique_ptr<Store> open(const SqliteOptions& options = {}) {
    auto store = SqliteStore::Create(directory_, options);
    EXPECT_TRUE(store.ok()) << store.status();
    return store.ok() ? *std::move(store) : nullptr;
  }
  void fill(int rows) {
    const auto store = open();
    for (int i = 0; i < rows; ++i) {
      ASSERT_TRUE(store->append("trial", "net", i, "{\"number\": " + std::to_string(i) + "}").ok());
    }
  }
  std::size_t count(Store& store) { return store.latest("trial", "net", 1000000)->size(); }
  // Opening must fail, say so, and change nothing.
  std::string refusal(absl::StatusCode code) {
    const std::string before = read_file(file_);
    const auto store = open_sqlite(directory_);
    EXPECT_EQ(store.status().code(), code) << store.status();
    EXPECT_EQ(read_file(file_), before);
    return std::string(base::message_of(store.status()));
  }
  void execute(const std::string& sql) {
    SQLite::Database database(file_, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    database.exec(sql);
  }

  fs::path root_, directory_, file_;
};

TEST_F(SqliteStoreTest, KeepsRowsAcrossRestarts) {
  fill(3);
  fill(2);
  const auto store = open();
  EXPECT_EQ(count(*store), 5u);
  const auto rows = store->latest("trial", "net", 2);
  EXPECT_EQ((*rows)[0].id, 4);
  EXPECT_EQ((*rows)[1].json, "{\"number\": 1}");
}

TEST_F(SqliteStoreTest, DropsTheOldestOfAKind) {
  const auto store = open({.kept_rows = 10, .prune_every = 5});
  ASSERT_TRUE(store->append("decision", "net", 0, "{}").ok());
  for (int i = 0; i < 104; ++i) ASSERT_TRUE(store->append("trial", "net", i, "{}").ok());
  EXPECT_EQ(count(*store), 10u);
  EXPECT_EQ(store->latest("trial", "net", 1)->back().unix_ms, 103);
  EXPECT_EQ(store->latest("decision", "net", 9)->size(), 1u);
}

TEST_F(SqliteStoreTest, IsSharedByTwoConnections) {
  const auto one = open();
  const auto two = open();
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE((i % 2 == 0 ? one : two)->append("trial", "net", i, "{}").ok());
  }
  EXPECT_EQ(count(*one), 20u);
  EXPECT_EQ(count(*two), 20u);
}

// What a killed process leaves: the files as they are, without a clean end.
TEST_F(SqliteStoreTest, LosesNothingWhenKilled) {
  const auto store = open();
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(store->append("trial", "net", i, "{}").ok());
  const fs::path copy = root_ / "copy";
  fs::create_directory(copy);
  for (const char* name : {"tachostat.db", "tachostat.db-wal"}) {
    fs::copy_file(directory_ / name, copy / name);
  }
  EXPECT_EQ(count(**open_sqlite(copy)), 50u);

  // A write that was cut off ends before it began.
  const fs::path torn = root_ / "torn";
  fs::create_directory(torn);
  fs::copy_file(file_, torn / "tachostat.db");
  const std::string log = read_file(directory_ / "tachostat.db-wal");
  write_file(torn / "tachostat.db-wal", log.substr(0, log.size() - 1000));
  const auto mended = open_sqlite(torn);
  ASSERT_TRUE(mended.ok()) << mended.status();
  EXPECT_EQ(count(**mended), 49u);
}

TEST_F(SqliteStoreTest, RefusesANewerVersion) {
  fill(1);
  execute("PRAGMA user_version = 2");
  EXPECT_THAT(refusal(absl::StatusCode::kFailedPrecondition),
              testing::AllOf(HasSubstr(file_.string()), HasSubstr("version 2")));
}

TEST_F(SqliteStoreTest, RefusesAnotherProgramsDatabase) {
  fs::create_directories(directory_);
  execute("CREATE TABLE mail (id INTEGER)");
  EXPECT_THAT(refusal(absl::StatusCode::kFailedPrecondition), HasSubstr("another program"));
}

TEST_F(SqliteStoreTest, RefusesWhatIsNoDatabase) {
  fs::create_directories(directory_);
  write_file(file_, std::string(5000, 'x'));
  EXPECT_THAT(refusal(absl::StatusCode::kDataLoss), HasSubstr("move it away"));
}

TEST_F(SqliteStoreTest, RefusesADamagedDatabase) {
  fill(500);
  std::string bytes = read_file(file_);
  ASSERT_GT(bytes.size(), 4u * 4096);
  for (std::size_t i = 2 * 4096; i < 2 * 4096 + 100; ++i) bytes[i] = static_cast<char>(~bytes[i]);
  write_file(file_, bytes);
  EXPECT_THAT(refusal(absl::StatusCode::kDataLoss), HasSubstr("is damaged"));
}

TEST_F(SqliteStoreTest, RefusesACutOffDatabase) {
  fill(500);
  const std::string bytes = read_file(file_);
  write_file(file_, bytes.substr(0, bytes.size() / 2));
  EXPECT_THAT(refusal(absl::StatusCode::kDataLoss), HasSubstr("is damaged"));
}

TEST_F(SqliteStoreTest, LeavesOutADamagedRow) {
  fill(3);
  std::string bytes = read_file(file_);
  const std::size_t place = bytes.find("{\"number\": 1}");
  ASSERT_NE(place, std::string::npos);
  bytes[place + 2] ^= 1;  // SQLite's own check cannot see this
  write_file(file_, bytes);
  const auto store = open();
  const auto rows = store->latest("trial", "net", 10);
  ASSERT_TRUE(rows.ok());
  ASSERT_EQ(rows->size(), 2u);
  EXPECT_EQ((*rows)[1].json, "{\"number\": 2}");
}

TEST_F(SqliteStoreTest, TakesAnEmptyFileForANewDatabase) {
  fs::create_directories(directory_);
  write_file(file_, "");
  fill(1);
  EXPECT_EQ(count(*open()), 1u);
}

TEST_F(SqliteStoreTest, NamesADirectoryThatIsNone) {
  fs::create_directories(root_);
  write_file(root_ / "file", "");
  for (const fs::path& directory : {root_ / "file", root_ / "file" / "below"}) {
    const auto store = open_sqlite(directory);
    EXPECT_EQ(store.status().code(), absl::StatusCode::kFailedPrecondition) << store.status();
    EXPECT_THAT(std::string(base::message_of(store.status())), HasSubstr(directory.string()));
  }
  fs::create_directories(file_);  // a directory where the file should be
  const auto store = open_sqlite(directory_);
  EXPECT_EQ(store.status().code(), absl::StatusCode::kFailedPrecondition) << store.status();
}

TEST_F(SqliteStoreTest, NamesADirectoryThatIsNotWritable) {
  if (geteuid() == 0) GTEST_SKIP() << "the superuser may write everywhere";
  fs::create_directories(directory_);
  fs::permissions(directory_, fs::perms::owner_read | fs::perms::owner_exec);
  const auto store = open_sqlite(directory_);
  fs::permissions(directory_, fs::perms::owner_all);
  EXPECT_EQ(store.status().code(), absl::StatusCode::kFailedPrecondition) << store.status();
  EXPECT_THAT(std::string(base::message_of(store.status())), HasSubstr("writable"));
}

}  // namespace
}  // namespace tachostat::store
