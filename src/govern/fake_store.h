// A store in memory that can be told to fail, for tests. Like every store it may be used from many
// threads; its members, while nobody does.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"
#include "store/store.h"

namespace tachostat::govern {

class FakeStore final : public store::Store {
 public:
  bool failing = false;
  std::vector<std::pair<std::string, std::string>> rows;  // kind, JSON
  int attempts = 0;

  absl::Status append(std::string_view kind, std::string_view, std::int64_t,
                      std::string_view json) override {
    base::MutexLock lock(mutex_);
    ++attempts;
    if (failing) return base::unavailable("the disk is full");
    rows.emplace_back(kind, json);
    return absl::OkStatus();
  }
  absl::StatusOr<std::vector<store::Row>> latest(std::string_view kind, std::string_view,
                                                 int limit) const override {
    base::MutexLock lock(mutex_);
    if (failing) return base::unavailable("the disk is full");
    std::vector<store::Row> found;
    for (const auto& [row_kind, json] : rows) {
      if (row_kind == kind) found.push_back({.id = 0, .unix_ms = 0, .json = json});
    }
    const auto most = static_cast<std::size_t>(limit);
    if (found.size() > most) found.erase(found.begin(), found.end() - limit);
    return found;
  }
  int count(std::string_view kind) const {
    int n = 0;
    for (const auto& row : rows) n += row.first == kind ? 1 : 0;
    return n;
  }

 private:
  mutable base::Mutex mutex_;
};

}  // namespace tachostat::govern
