// A variant as JSON: an error, or one that is written and read again and keeps its id.
#include "fuzz.h"

#include <string_view>

#include "model/model.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tachostat::model;
  const auto variant = variant_from_json({reinterpret_cast<const char*>(data), size});
  if (!variant.ok()) return 0;
  const auto again = variant_from_json(to_json(*variant));
  FUZZ_REQUIRE(again.ok());
  FUZZ_REQUIRE(again->id() == variant->id());
  return 0;
}
