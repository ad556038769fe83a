// Shared by the governor's thread, which adds, and by whoever reads decisions. The listener and the
// log are called outside the lock, so a slow one delays its adder only.
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "base/status.h"
#include "govern/govern.h"

namespace tachostat::govern {
namespace {

using nlohmann::json;

constexpr std::size_t kKept = 1000;

std::string dump(const json& value) {
  // Names come from model files and need not be UTF-8.
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

// A restart goes on counting where the stored decisions end; 1 when there are none.
std::uint64_t first_sequence(store::Store* store, const std::string& model) {
  if (store == nullptr) return 1;
  const absl::StatusOr<std::vector<store::Row>> rows = store->latest("decision", model, 1);
  if (!rows.ok() || rows->empty()) return 1;
  const json newest = json::parse(rows->back().json, nullptr, false);
  if (!newest.is_object()) return 1;
  const auto sequence = newest.find("sequence");
  if (sequence == newest.end() || !sequence->is_number_unsigned()) return 1;
  return sequence->get<std::uint64_t>() + 1;
}

}  // namespace

std::string to_json(const Decision& decision) {
  json evidence = json::parse(decision.evidence_json, nullptr, false);
  if (evidence.is_discarded()) evidence = json::object();
  return dump({{"sequence", decision.sequence},
               {"unix_ms", decision.unix_ms},
               {"kind", decision.kind},
               {"from", decision.from},
               {"to", decision.to},
               {"reason", decision.reason},
               {"evidence", std::move(evidence)}});
}

DecisionLog::DecisionLog(base::Clock& clock, store::Store* store, std::string model)
    : clock_(clock),
      store_(store),
      model_(std::move(model)),
      next_(first_sequence(store, model_)) {}

void DecisionLog::add(Decision decision) {
  using std::chrono::milliseconds;
  decision.unix_ms = std::chrono::duration_cast<milliseconds>(clock_.unix_time()).count();
  std::function<void(const Decision&)> listener;
  absl::Status stored;
  bool first_failure = false;
  {
    base::MutexLock lock(mutex_);
    decision.sequence = next_++;
    decisions_.push_back(decision);
    if (decisions_.size() > kKept) decisions_.erase(decisions_.begin());
    listener = listener_;
    // Under the lock, so that rows have the order of their sequence numbers.
    if (store_ != nullptr) {
      stored = store_->append("decision", model_, decision.unix_ms, to_json(decision));
      first_failure = !stored.ok() && !store_failed_;
      store_failed_ = store_failed_ || !stored.ok();
    }
  }
  spdlog::info("{}: {} model={} sequence={}", decision.kind, decision.reason, model_,
               decision.sequence);
  if (first_failure) {
    spdlog::warn("decisions of '{}' are kept in memory only: {}", model_, stored.ToString());
  }
  if (listener) listener(decision);
}

std::vector<Decision> DecisionLog::decisions() const {
  base::MutexLock lock(mutex_);
  return decisions_;
}

void DecisionLog::set_listener(std::function<void(const Decision&)> listener) {
  base::MutexLock lock(mutex_);
  listener_ = std::move(listener);
}

}  // namespace tachostat::govern
