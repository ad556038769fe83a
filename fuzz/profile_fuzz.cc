// A profile as JSON: an error, or a profile that is written and read again.
#include "fuzz.h"

#include <string_view>

#include "profile/profile.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tachostat::profile;
  const auto profile = from_json({reinterpret_cast<const char*>(data), size});
  if (!profile.ok()) return 0;
  const std::string written = to_json(*profile);
  const auto again = from_json(written);
  FUZZ_REQUIRE(again.ok());
  FUZZ_REQUIRE(to_json(*again) == written);
  to_text(*profile);
  return 0;
}
