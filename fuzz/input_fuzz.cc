// Reading bytes that may be gzip, in pieces.
#include "fuzz.h"

#include <string>

#include "trace/import.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using tachostat::trace::Input;
  constexpr std::size_t kMost = 1 << 20;
  auto input = Input::of(std::string(reinterpret_cast<const char*>(data), size), "fuzz");
  if (!input.ok()) return 0;
  FUZZ_REQUIRE(input->start().size() <= Input::kStart);
  const std::string start(input->start());
  char some[7];
  const auto n = input->read(some, sizeof some);
  if (!n.ok()) return 0;
  FUZZ_REQUIRE(*n <= sizeof some && start.substr(0, *n) == std::string(some, *n));
  const auto rest = input->all(kMost);
  if (rest.ok()) FUZZ_REQUIRE(rest->size() <= kMost && *n + rest->size() >= start.size());
  return 0;
}
