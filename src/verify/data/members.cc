#include "verify/data/members.h"

#include <map>

#include "base/status.h"

namespace tachostat::verify {
namespace {

constexpr std::string_view kSuffix = ".npy";

std::string names_of(const std::vector<model::Port>& ports) {
  std::string text;
  for (const model::Port& port : ports) {
    text += fmt::format("{}'{}'", text.empty() ? "" : ", ", port.name);
  }
  return text;
}

absl::StatusOr<std::map<std::string, ZipFile::Member>> arrays_of(const ZipFile& archive) {
  std::map<std::string, ZipFile::Member> arrays;
  for (const ZipFile::Member& member : archive.members()) {
    if (!member.name.ends_with(kSuffix)) {
      return base::invalid_argument(
          "member '{}' is no array (its name should end in .npy): make the file with np.savez",
          member.name);
    }
    arrays.emplace(member.name.substr(0, member.name.size() - kSuffix.size()), member);
  }
  return arrays;
}

}  // namespace

absl::StatusOr<Members> match_members(const ZipFile& archive, const model::Graph& graph) {
  TS_ASSIGN_OR_RETURN(auto arrays, arrays_of(archive));
  Members members;
  for (const char* name : {"labels", "label"}) {
    if (graph.find_input(name) != nullptr || members.labels) continue;
    if (const auto found = arrays.extract(name)) members.labels = found.mapped();
  }
  const bool one_for_one = graph.inputs.size() == 1 && arrays.size() == 1;
  for (const model::Port& port : graph.inputs) {
    const auto found = one_for_one ? arrays.extract(arrays.begin()) : arrays.extract(port.name);
    if (!found) {
      return base::invalid_argument(
          "no array for the model's input '{}': save it as np.savez(file, **{{'{}': x}})",
          port.name, port.name);
    }
    members.inputs.push_back(found.mapped());
  }
  if (!arrays.empty()) {
    return base::invalid_argument(
        "array '{}' is no input of the model (its inputs: {}) and not 'labels': leave it out",
        arrays.begin()->first, names_of(graph.inputs));
  }
  return members;
}

}  // namespace tachostat::verify
