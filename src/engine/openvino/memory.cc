#include "engine/openvino/memory.h"

#include <malloc.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>

namespace tachostat::engine {
namespace {

// The `size` of the last element that starts with `tag`: the totals come after the arenas.
std::uint64_t last_size(std::string_view xml, std::string_view tag) {
  const std::size_t element = xml.rfind(tag);
  if (element == xml.npos) return 0;
  constexpr std::string_view kMarker = "size=\"";
  const std::size_t size = xml.find(kMarker, element);
  if (size == xml.npos) return 0;
  std::uint64_t value = 0;
  std::from_chars(xml.data() + size + kMarker.size(), xml.data() + xml.size(), value);
  return value;
}

}  // namespace

std::uint64_t heap_in_use() {
  char* text = nullptr;
  std::size_t size = 0;
  std::FILE* const stream = open_memstream(&text, &size);
  if (stream == nullptr) return 0;
  const int error = malloc_info(0, stream);
  std::fclose(stream);
  const std::unique_ptr<char, decltype(&std::free)> owner(text, std::free);
  if (error != 0 || text == nullptr) return 0;
  const std::string_view xml(text, size);
  const std::uint64_t mapped = last_size(xml, "<total type=\"mmap\"");
  const std::uint64_t system = last_size(xml, "<system type=\"current\"");
  const std::uint64_t unused =
      last_size(xml, "<total type=\"fast\"") + last_size(xml, "<total type=\"rest\"");
  return mapped + (system > unused ? system - unused : 0);
}

}  // namespace tachostat::engine
