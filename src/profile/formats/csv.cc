#include <fmt/format.h>

#include <ostream>

#include "base/utf8.h"
#include "profile/formats/formats.h"

namespace tachostat::profile {
namespace {

std::string field(std::string_view text) {
  std::string result = base::to_utf8(text);
  if (result.find_first_of(",\"\r\n") == std::string::npos) return result;
  for (std::size_t at = 0; (at = result.find('"', at)) != std::string::npos; at += 2) {
    result.insert(at, 1, '"');
  }
  return '"' + result + '"';
}

std::string known(double value) { return value < 0 ? std::string() : fmt::format("{}", value); }

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ";") + name;
  return text;
}

}  // namespace

absl::Status write_csv(const ExportInput& input, std::ostream& out) {
  out << "position,layer,originals,type,kernel,precision,layout,count,mean_ns,p50_ns,p90_ns,p99_ns,"
         "min_ns,max_ns,sum_ns,share,thread_efficiency,flops,bytes,weight_bytes,input_bytes,"
         "output_bytes\r\n";
  std::size_t position = 0;
  for (const LayerProfile& layer : input.profile.layers) {
    const base::Histogram& time = layer.time;
    out << fmt::format("{},{},{},{},{},{},{},{},", position++, field(layer.name),
                       field(joined(layer.originals)), field(layer.type), field(layer.kernel),
                       field(layer.precision), field(layer.layout), time.count());
    if (time.count() > 0) {
      out << fmt::format("{},{},{},{},{},{},{}", time.mean(), time.quantile(0.5),
                         time.quantile(0.9), time.quantile(0.99), time.min(), time.max(),
                         time.sum());
    } else {
      out << ",,,,,,0";
    }
    out << fmt::format(",{},{},{},{},{},{},{}\r\n", layer.share, known(layer.thread_efficiency),
                       known(layer.work.flops), known(layer.work.bytes()),
                       known(layer.work.weight_bytes), known(layer.work.input_bytes),
                       known(layer.work.output_bytes));
  }
  return absl::OkStatus();
}

}  // namespace tachostat::profile
