// OTLP's messages and what its JSON encoding needs; for otlp_*.cc only.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "otlp.pb.h"
#include "profile/export.h"

namespace tachostat::profile {

using OtlpAttributes = google::protobuf::RepeatedPtrField<otlp::KeyValue>;

// Empty texts and unknown numbers (below 0) are left out.
void add_attribute(std::string_view key, std::string_view value, OtlpAttributes& to);
void add_attribute(std::string_view key, double value, OtlpAttributes& to);
// "tachostat.layer.type" and so on.
void add_layer_attributes(const LayerProfile& layer, OtlpAttributes& to);
void fill_resource(const Profile& profile, otlp::Resource& to);
// "tachostat", who says it.
void fill_scope(otlp::InstrumentationScope& to);

// Calls `take` with requests of at most `batch` spans, each gone after the call.
void make_otlp_traces(const ExportInput& input, std::size_t batch,
                      const std::function<void(const otlp::ExportTraceServiceRequest&)>& take);
otlp::ExportMetricsServiceRequest make_otlp_metrics(const ExportInput& input);

// Protobuf's JSON mapping with OTLP's exceptions: bytes are hexadecimal, enumerations are numbers.
void append_otlp_json(const google::protobuf::Message& message, std::string& to);

}  // namespace tachostat::profile
