#include "base/status.h"
#include "serve/infer.h"
#include "serve/serve.h"

namespace tachostat::serve {

void Repository::add(ServedModel model) {
  base::MutexLock lock(mutex_);
  std::string name = model.name;
  models_[std::move(name)] = std::make_shared<const ServedModel>(std::move(model));
}

absl::StatusOr<std::shared_ptr<const ServedModel>> Repository::find(
    std::string_view name, std::string_view version) const {
  base::MutexLock lock(mutex_);
  const auto found = models_.find(name);
  if (found == models_.end()) {
    std::string known;
    for (const auto& [key, model] : models_) {
      known += fmt::format("{}'{}'", known.empty() ? "" : ", ", key);
    }
    return base::not_found("no model {}: {}", in_quotes(name),
                           known.empty() ? "none is loaded" : "this server has " + known);
  }
  if (!version.empty() && version != found->second->version) {
    return base::not_found("no version {} of model {}: this server has version {}",
                           in_quotes(version), in_quotes(name), found->second->version);
  }
  return found->second;
}

std::vector<std::shared_ptr<const ServedModel>> Repository::list() const {
  base::MutexLock lock(mutex_);
  std::vector<std::shared_ptr<const ServedModel>> models;
  models.reserve(models_.size());
  for (const auto& [name, model] : models_) models.push_back(model);
  return models;
}

void Repository::set_ready(bool ready) {
  base::MutexLock lock(mutex_);
  ready_ = ready;
}

bool Repository::ready() const {
  base::MutexLock lock(mutex_);
  return ready_;
}

}  // namespace tachostat::serve
