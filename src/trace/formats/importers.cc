#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/status.h"
#include "trace/formats/formats.h"
#include "trace/formats/words.h"

namespace tachostat::trace {

extern const Importer kTachostatTrace;
extern const Importer kKineto;
extern const Importer kOnnxRuntime;
extern const Importer kXPlane;
extern const Importer kNsys;
extern const Importer kNcu;
extern const Importer kTensorRt;
extern const Importer kChrome;
extern const Importer kOpenvinoGraph;
extern const Importer kOpenvinoCounters;
extern const Importer kLitert;
extern const Importer kTvm;
extern const Importer kVtune;
extern const Importer kUprof;
extern const Importer kStreamline;

namespace {

// More particular ones first: the first that recognises a file reads it.
constexpr std::array kImporters = {
    &kTachostatTrace,   &kKineto,     &kOnnxRuntime, &kOpenvinoGraph,
    &kOpenvinoCounters, &kTvm,        &kUprof,       &kVtune,
    &kLitert,           &kStreamline, &kNsys,        &kNcu,
    &kTensorRt,         &kXPlane,
    &kChrome,  // last: recognises any other's Chrome JSON
};

std::vector<std::string_view> names() {
  std::vector<std::string_view> names;
  for (const Importer* importer : kImporters) names.push_back(importer->name);
  return names;
}

template <typename T>
void take_if(const T& unknown, const T& from, T& to) {
  if (to == unknown) to = from;
}

void fill_gaps(const LayerRow& from, LayerRow& to) {
  const std::string none;
  if (to.originals.empty()) to.originals = from.originals;
  take_if(none, from.type, to.type);
  take_if(none, from.kernel, to.kernel);
  take_if(none, from.precision, to.precision);
  take_if(none, from.layout, to.layout);
  take_if(none, from.device, to.device);
  if (to.count == 0) {
    to.count = from.count;
    to.mean_ns = from.mean_ns;
    to.min_ns = from.min_ns;
    to.median_ns = from.median_ns;
    to.max_ns = from.max_ns;
  }
  take_if(-1.0, from.flops, to.flops);
  take_if(-1.0, from.bytes, to.bytes);
  to.metrics.insert(from.metrics.begin(), from.metrics.end());
}

}  // namespace

std::span<const Importer* const> importers() { return kImporters; }

absl::StatusOr<Import> import_from(Input& input, std::string_view format) {
  const std::string file_name = std::filesystem::path(input.name()).filename().string();
  for (const Importer* importer : kImporters) {
    if (format == "auto" ? importer->recognises(input.start(), file_name)
                         : importer->name == format) {
      auto import = importer->read(input);
      if (import.ok()) make_utf8(*import);
      return import;
    }
  }
  if (format == "auto") {
    return base::invalid_argument("{}: no format recognises it; say which it is: {}", input.name(),
                                  fmt::join(names(), ", "));
  }
  return base::invalid_argument("no format '{}'; there are: {}", format, fmt::join(names(), ", "));
}

absl::StatusOr<Import> import_file(const std::string& path, std::string_view format) {
  TS_ASSIGN_OR_RETURN(Input input, Input::open(path));
  return import_from(input, format);
}

absl::StatusOr<Import> combine(std::vector<Import> parts) {
  if (parts.empty()) return base::invalid_argument("no file to import");
  Import whole = std::move(parts.front());
  for (std::size_t i = 1; i < parts.size(); ++i) {
    Import& part = parts[i];
    if (!part.trace.spans.empty()) {
      if (!whole.trace.spans.empty()) {
        return base::invalid_argument(
            "two of the files hold timelines: import them one by one, their clocks differ");
      }
      whole.trace = std::move(part.trace);
    }
    std::map<std::string, std::size_t, std::less<>> known;
    for (std::size_t row = 0; row < whole.layers.size(); ++row) {
      known.emplace(whole.layers[row].name, row);
    }
    for (LayerRow& row : part.layers) {
      const auto at = known.find(row.name);
      if (at != known.end()) {
        fill_gaps(row, whole.layers[at->second]);
      } else {
        whole.layers.push_back(std::move(row));
      }
    }
    take_if(std::string(), part.model, whole.model);
    take_if(std::uint64_t{0}, part.requests, whole.requests);
    take_if(-1.0, part.request_mean_ns, whole.request_mean_ns);
    if (part.tool != whole.tool) whole.tool += ", " + part.tool;
    whole.notes.insert(whole.notes.end(), part.notes.begin(), part.notes.end());
  }
  return whole;
}

}  // namespace tachostat::trace
