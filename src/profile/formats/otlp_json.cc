#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/status.h"
#include "profile/formats/otlp_messages.h"

namespace tachostat::profile {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

bool is_plain(char c) { return c >= 0x20 && c < 0x7F && c != '"' && c != '\\'; }

void append_text(const std::string& text, std::string& to) {
  // Nearly all texts, and most of the time.
  if (std::all_of(text.begin(), text.end(), is_plain)) {
    to += '"';
    to += text;
    to += '"';
    return;
  }
  to += nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void append_hex(const std::string& bytes, std::string& to) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  to += '"';
  for (const char byte : bytes) {
    to += kDigits[static_cast<unsigned char>(byte) >> 4];
    to += kDigits[static_cast<unsigned char>(byte) & 15];
  }
  to += '"';
}

void append_double(double value, std::string& to) {
  if (std::isfinite(value)) {
    fmt::format_to(std::back_inserter(to), "{}", value);
  } else {
    to += std::isnan(value) ? "\"NaN\"" : value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
  }
}

// One value of a field: its element `index`, or the whole of it when it is not repeated (-1). Only
// the types that otlp.proto has.
void append_value(const Message& message, const FieldDescriptor& field, int index,
                  std::string& to) {
  const Reflection& reflection = *message.GetReflection();
  const bool one = index < 0;
  std::string scratch;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_MESSAGE:
      append_otlp_json(one ? reflection.GetMessage(message, &field)
                           : reflection.GetRepeatedMessage(message, &field, index),
                       to);
      return;
    case FieldDescriptor::CPPTYPE_STRING: {
      const std::string& text =
          one ? reflection.GetStringReference(message, &field, &scratch)
              : reflection.GetRepeatedStringReference(message, &field, index, &scratch);
      field.type() == FieldDescriptor::TYPE_BYTES ? append_hex(text, to) : append_text(text, to);
      return;
    }
    case FieldDescriptor::CPPTYPE_DOUBLE:
      append_double(one ? reflection.GetDouble(message, &field)
                        : reflection.GetRepeatedDouble(message, &field, index),
                    to);
      return;
    case FieldDescriptor::CPPTYPE_UINT64:  // 64 bits are strings: JavaScript's numbers are doubles
      fmt::format_to(std::back_inserter(to), "\"{}\"",
                     one ? reflection.GetUInt64(message, &field)
                         : reflection.GetRepeatedUInt64(message, &field, index));
      return;
    case FieldDescriptor::CPPTYPE_INT64:
      fmt::format_to(std::back_inserter(to), "\"{}\"", reflection.GetInt64(message, &field));
      return;
    case FieldDescriptor::CPPTYPE_BOOL:
      to += reflection.GetBool(message, &field) ? "true" : "false";
      return;
    case FieldDescriptor::CPPTYPE_ENUM:
      fmt::format_to(std::back_inserter(to), "{}", reflection.GetEnumValue(message, &field));
      return;
    default:
      to += "null";
  }
}

}  // namespace

void append_otlp_json(const Message& message, std::string& to) {
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  to += '{';
  bool first = true;
  for (const FieldDescriptor* field : fields) {
    if (!first) to += ',';
    first = false;
    to += '"';
    to += field->json_name();
    to += "\":";
    if (!field->is_repeated()) {
      append_value(message, *field, -1, to);
      continue;
    }
    to += '[';
    const int size = message.GetReflection()->FieldSize(message, field);
    for (int i = 0; i < size; ++i) {
      if (i > 0) to += ',';
      append_value(message, *field, i, to);
    }
    to += ']';
  }
  to += '}';
}

}  // namespace tachostat::profile
