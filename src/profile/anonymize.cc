#include <fmt/format.h>

#include <algorithm>

#include "base/hash.h"
#include "profile/export.h"

namespace tachostat::profile {
namespace {

using trace::Kind;

class Names {
 public:
  explicit Names(std::string_view key) : key_(key) {}

  void replace(std::string_view kind, std::string& name) const {
    if (name.empty()) return;
    name = fmt::format("{}-{}", kind, base::hmac_sha256(key_, name).substr(0, 12));
  }

  // What is no name of the user's stays, unless it is or holds a path.
  void drop_path(std::string& text) const {
    if (text.find_first_of("/\\") != std::string::npos) replace("path", text);
  }

  // "x[1,3];y[2]": names become hashes, shapes stay; text that reads otherwise is hashed whole.
  void replace_in_shapes(std::string& text) const {
    if (text.empty() || text == "dynamic") return;
    std::string result;
    for (std::size_t at = 0; at <= text.size();) {
      const std::size_t end = std::min(text.find(';', at), text.size());
      std::string name = text.substr(at, end - at);
      std::string shape;
      const std::size_t open = name.rfind('[');
      if (open != std::string::npos && name.back() == ']' &&
          name.find_first_not_of("0123456789,?-", open + 1) == name.size() - 1) {
        shape = name.substr(open);
        name.resize(open);
      }
      replace("input", name);
      result += (at == 0 ? "" : ";") + name + shape;
      at = end + 1;
    }
    text = result;
  }

  // "openvino.CPU f32 2t 1s b1 x[1,3]": the shapes, if any, stand last (model::Variant::id()).
  void replace_in_variant(std::string& text) const {
    std::size_t end = text.find(" b");
    while (end != std::string::npos) {
      std::size_t after = end + 2;
      while (after < text.size() && text[after] >= '0' && text[after] <= '9') ++after;
      if (after > end + 2 && (after == text.size() || text[after] == ' ')) {
        end = after;
        break;
      }
      end = text.find(" b", end + 1);
    }
    constexpr std::string_view kPinned = " pinned";
    if (end != std::string::npos && text.compare(end, kPinned.size(), kPinned) == 0) {
      end += kPinned.size();
    }
    std::string head = text.substr(0, end);
    drop_path(head);
    if (end == std::string::npos || end >= text.size()) {
      text = head;
      return;
    }
    std::string shapes = text.substr(end + 1);
    replace_in_shapes(shapes);
    text = head + " " + shapes;
  }

  // Names of the model's inputs and outputs, and shapes, stand last in some readings' names.
  void replace_in_readings(std::map<std::string, Reading>& readings) const {
    std::map<std::string, Reading> result;
    for (auto& [name, reading] : readings) {
      std::string replaced = name;
      for (const auto& [prefix, kind] :
           {std::pair{"input/", "input"}, std::pair{"output/", "output"}}) {
        if (!name.starts_with(prefix)) continue;
        const std::size_t begin = std::string_view(prefix).size();
        const std::size_t end = name.rfind('/');
        std::string user = name.substr(begin, end < begin ? std::string::npos : end - begin);
        replace(kind, user);
        replaced = prefix + user + (end < begin ? "" : name.substr(end));
      }
      if (name.starts_with("shape/")) {
        std::string shapes = name.substr(6);
        replace_in_shapes(shapes);
        replaced = "shape/" + shapes;
      }
      result[std::move(replaced)] = std::move(reading);
    }
    readings = std::move(result);
  }

 private:
  const std::string_view key_;
};

// Names that the user's model or code gives; those of engines, libraries and stages tell nothing.
bool is_users(Kind kind) {
  return kind == Kind::kRequest || kind == Kind::kLayer || kind == Kind::kOther;
}

}  // namespace

void anonymize(std::string_view key, Profile& profile) {
  const Names names(key);
  names.replace("model", profile.model);
  names.replace("hash", profile.model_hash);
  names.replace_in_variant(profile.variant);
  names.replace_in_shapes(profile.bucket);
  names.replace("machine", profile.machine);
  names.replace_in_readings(profile.readings);
  for (LayerProfile& layer : profile.layers) {
    names.replace("layer", layer.name);
    for (std::string& original : layer.originals) names.replace("layer", original);
    for (std::string& answer : layer.answers) names.replace("output", answer);
    for (std::string* text : {&layer.type, &layer.kernel, &layer.precision, &layer.layout}) {
      names.drop_path(*text);
    }
  }
}

void anonymize(std::string_view key, trace::Trace& trace) {
  const Names names(key);
  // What each name is used for; one that is used for several is the user's if one of them is.
  enum class Use { kNone, kOurs, kOther, kRequest, kLayer };
  std::vector<Use> uses(trace.names.size(), Use::kNone);
  for (const trace::Span& span : trace.spans) {
    if (span.name >= uses.size()) continue;
    const Use use = !is_users(span.kind)          ? Use::kOurs
                    : span.kind == Kind::kLayer   ? Use::kLayer
                    : span.kind == Kind::kRequest ? Use::kRequest
                                                  : Use::kOther;
    uses[span.name] = std::max(uses[span.name], use);
  }
  for (std::size_t i = 0; i < uses.size(); ++i) {
    switch (uses[i]) {
      case Use::kOurs:
        names.drop_path(trace.names[i]);
        break;
      case Use::kLayer:
        names.replace("layer", trace.names[i]);
        break;
      case Use::kRequest:
        names.replace("request", trace.names[i]);
        break;
      case Use::kNone:
      case Use::kOther:
        names.replace("name", trace.names[i]);
        break;
    }
  }
  for (auto& [thread, name] : trace.threads) names.replace("thread", name);
  for (trace::ExecutionMark& mark : trace.marks) names.replace_in_shapes(mark.bucket);
  for (trace::CounterTrack& counter : trace.counters) names.drop_path(counter.name);
}

}  // namespace tachostat::profile
