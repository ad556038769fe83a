#include "base/utf8.h"
#include "profile/formats/otlp_messages.h"

namespace tachostat::profile {

void add_attribute(std::string_view key, std::string_view value, OtlpAttributes& to) {
  if (value.empty()) return;
  otlp::KeyValue& attribute = *to.Add();
  attribute.set_key(std::string(key));
  attribute.mutable_value()->set_string_value(base::to_utf8(value));
}

void add_attribute(std::string_view key, double value, OtlpAttributes& to) {
  if (value < 0) return;
  otlp::KeyValue& attribute = *to.Add();
  attribute.set_key(std::string(key));
  attribute.mutable_value()->set_double_value(value);
}

void add_layer_attributes(const LayerProfile& layer, OtlpAttributes& to) {
  add_attribute("tachostat.layer.type", layer.type, to);
  add_attribute("tachostat.layer.kernel", layer.kernel, to);
  add_attribute("tachostat.layer.precision", layer.precision, to);
  add_attribute("tachostat.layer.layout", layer.layout, to);
}

void fill_resource(const Profile& profile, otlp::Resource& to) {
  OtlpAttributes& attributes = *to.mutable_attributes();
  add_attribute("service.name", "tachostat", attributes);
  add_attribute("tachostat.model", profile.model, attributes);
  add_attribute("tachostat.model.hash", profile.model_hash, attributes);
  add_attribute("tachostat.variant", profile.variant, attributes);
  add_attribute("tachostat.bucket", profile.bucket, attributes);
}

void fill_scope(otlp::InstrumentationScope& to) { to.set_name("tachostat"); }

}  // namespace tachostat::profile
