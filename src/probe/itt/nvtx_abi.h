// The part of NVTX 3's binary interface that a tool must know: how a program's copy of NVTX hands
// over its function tables, and the layout of what ranges are described by. Ours, kept to what is
// used; numbers and layouts are those of the public headers (nvToolsExt.h, nvtxDetail/nvtxTypes.h).
#pragma once

#include <cstddef>
#include <cstdint>

namespace tachostat::probe::itt::nvtx {

// The table at an index holds the address of the pointer that the program calls through.
using FunctionTable = void***;

enum Module : int { kCore = 1, kCore2 = 5 };

struct Callbacks {
  std::size_t size;
  int (*table_of)(int module, FunctionTable* table, unsigned* size);
};
inline constexpr std::uint32_t kCallbacks = 1;
using GetExportTable = const void* (*)(std::uint32_t table);

// Indices into the tables.
enum Core : unsigned {
  kMarkEx = 1,
  kMarkA,
  kMarkW,
  kRangeStartEx,
  kRangeStartA,
  kRangeStartW,
  kRangeEnd,
  kRangePushEx,
  kRangePushA,
  kRangePushW,
  kRangePop,
  kNameThreadA = 14,
  kNameThreadW,
};
enum Core2 : unsigned {
  kDomainMarkEx = 1,
  kDomainRangeStartEx,
  kDomainRangeEnd,
  kDomainRangePushEx,
  kDomainRangePop,
  kDomainRegisterStringA = 10,
  kDomainRegisterStringW,
  kDomainCreateA,
  kDomainCreateW,
  kDomainDestroy,
};

enum MessageType : std::int32_t { kAscii = 1, kUnicode = 2, kRegistered = 3 };

struct Attributes {
  std::uint16_t version;
  std::uint16_t size;
  std::uint32_t category;
  std::int32_t color_type;
  std::uint32_t color;
  std::int32_t payload_type;
  std::int32_t reserved;
  std::uint64_t payload;
  std::int32_t message_type;
  const void* message;  // char, wchar_t, or a registered string
};
static_assert(offsetof(Attributes, message) == 40);

}  // namespace tachostat::probe::itt::nvtx
