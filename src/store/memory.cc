#include <algorithm>
#include <deque>
#include <map>

#include "base/mutex.h"
#include "store/store.h"

namespace tachostat::store {
namespace {

constexpr std::size_t kKeptRows = 100000;  // of each kind

class MemoryStore final : public Store {
 public:
  absl::Status append(std::string_view kind, std::string_view key, std::int64_t unix_ms,
                      std::string_view json) override {
    base::MutexLock lock(mutex_);
    std::deque<Entry>& entries = kinds_[std::string(kind)];
    entries.push_back({std::string(key), {++last_id_, unix_ms, std::string(json)}});
    if (entries.size() > kKeptRows) entries.pop_front();
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<Row>> latest(std::string_view kind, std::string_view key,
                                          int limit) const override {
    std::vector<Row> rows;
    base::MutexLock lock(mutex_);
    const auto found = kinds_.find(kind);
    if (found == kinds_.end()) return rows;
    for (auto entry = found->second.rbegin(); entry != found->second.rend(); ++entry) {
      if (static_cast<std::int64_t>(rows.size()) >= limit) break;
      if (entry->key == key) rows.push_back(entry->row);
    }
    std::reverse(rows.begin(), rows.end());
    return rows;
  }

 private:
  struct Entry {
    std::string key;
    Row row;
  };

  mutable base::Mutex mutex_;
  std::map<std::string, std::deque<Entry>, std::less<>> kinds_ TS_GUARDED_BY(mutex_);
  std::int64_t last_id_ TS_GUARDED_BY(mutex_) = 0;
};

}  // namespace

std::unique_ptr<Store> open_memory() { return std::make_unique<MemoryStore>(); }

}  // namespace tachostat::store
