// A roofline as JSON: an error, or one that is written and read again.
#include "fuzz.h"

#include <string_view>

#include "profile/profile.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tachostat::profile;
  const auto roofline = roofline_from_json({reinterpret_cast<const char*>(data), size});
  if (!roofline.ok()) return 0;
  const std::string written = to_json(*roofline);
  const auto again = roofline_from_json(written);
  FUZZ_REQUIRE(again.ok());
  FUZZ_REQUIRE(to_json(*again) == written);
  return 0;
}
