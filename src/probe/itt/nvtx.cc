// NVTX's door: a program's copy of NVTX loads what NVTX_INJECTION64_PATH names, on its first call,
// and has InitializeInjectionNvtx2 fill in the functions that it calls from then on. Only for
// recorded processes.
#include <wchar.h>

#include <atomic>
#include <string>
#include <string_view>

#include "probe/itt/annotations.h"
#include "probe/itt/nvtx_abi.h"
#include "probe/itt/recorder.h"
#include "probe/itt/registry.h"
#include "probe/itt/this_thread.h"
#include "trace/formats/recording_layout.h"

namespace tachostat::probe::itt {
namespace {

// What programs hold of domains and registered strings; they live for ever. A null domain is the
// default one.
struct RangeDomain {
  std::string name;
};
struct RegisteredString {
  std::uint32_t name;
};

const RangeDomain kDefaultDomain{};
std::atomic<std::uint64_t> g_next_range{1};

const RangeDomain& domain_of(const void* handle) {
  return handle != nullptr ? *static_cast<const RangeDomain*>(handle) : kDefaultDomain;
}

// Plain UTF-8; what is no character is replaced.
std::string narrow(const wchar_t* text) {
  std::string out;
  for (; *text != L'\0'; ++text) {
    auto code = static_cast<std::uint32_t>(*text);
    if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) code = 0xFFFD;
    if (code < 0x80) {
      out += static_cast<char>(code);
    } else if (code < 0x800) {
      out += static_cast<char>(0xC0 | code >> 6);
      out += static_cast<char>(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
      out += static_cast<char>(0xE0 | code >> 12);
      out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
      out += static_cast<char>(0x80 | (code & 0x3F));
    } else {
      out += static_cast<char>(0xF0 | code >> 18);
      out += static_cast<char>(0x80 | (code >> 12 & 0x3F));
      out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
      out += static_cast<char>(0x80 | (code & 0x3F));
    }
  }
  return out;
}

std::uint32_t number_of(const RangeDomain& domain, std::string_view message) {
  std::string key(1, trace::recording::kNvtx);
  key.append(domain.name).append(1, trace::recording::kNvtx).append(message);
  return Registry::instance().number(key);
}

std::uint32_t name_of(const RangeDomain& domain, const nvtx::Attributes* attributes) {
  if (attributes == nullptr || attributes->message == nullptr) return number_of(domain, "?");
  switch (attributes->message_type) {
    case nvtx::kAscii:
      return number_of(domain, static_cast<const char*>(attributes->message));
    case nvtx::kUnicode:
      return number_of(domain, narrow(static_cast<const wchar_t*>(attributes->message)));
    case nvtx::kRegistered:
      return static_cast<const RegisteredString*>(attributes->message)->name;
    default:
      return number_of(domain, "?");
  }
}

bool is_on(std::uint64_t position) { return (position & 0xff) != 0; }

// Ranges of a thread must nest, whatever their domain: that is all that a line of a trace can show.
// The level, which callers hardly look at, is not counted.
int push(const RangeDomain& domain, std::uint32_t name) {
  const std::uint64_t position = Registry::instance().position();
  if (!is_on(position)) return 0;
  ThreadLog* log = log_of_this_thread(position);
  if (log != nullptr) log->begin(&domain, name, position >> 8, now_ns);
  return 0;
}

int pop(const RangeDomain& domain) {
  const std::uint64_t now = now_ns();
  const std::uint64_t position = Registry::instance().position();
  if (!is_on(position)) return 0;
  ThreadLog* log = log_of_this_thread(position);
  if (log != nullptr) log->end(&domain, trace::Kind::kOther, position >> 8, now);
  return 0;
}

Annotations& annotations() {
  ensure_recording();
  return Annotations::instance();
}

Annotations::Key key_of(std::uint64_t range) { return {&kDefaultDomain, range, 1}; }

std::uint64_t start(const RangeDomain& domain, std::uint32_t name) {
  const std::uint64_t range = g_next_range.fetch_add(1, std::memory_order_relaxed);
  if (is_on(Registry::instance().position())) {
    annotations().begin(key_of(range), domain.name.empty() ? "NVTX" : domain.name, name,
                        trace::Kind::kOther, now_ns());
  }
  return range;
}

void range_end(std::uint64_t range) { annotations().end(key_of(range), now_ns()); }

void mark(const RangeDomain& domain, std::uint32_t name) {
  static_cast<void>(domain);
  if (is_on(Registry::instance().position())) annotations().moment(name, now_ns());
}

const char* text(const char* message) { return message != nullptr ? message : "?"; }
std::string text(const wchar_t* message) { return message != nullptr ? narrow(message) : "?"; }

// The functions of the default domain.
void mark_ex(const nvtx::Attributes* attributes) {
  mark(kDefaultDomain, name_of(kDefaultDomain, attributes));
}
void mark_a(const char* message) { mark(kDefaultDomain, number_of(kDefaultDomain, text(message))); }
void mark_w(const wchar_t* message) {
  mark(kDefaultDomain, number_of(kDefaultDomain, text(message)));
}
std::uint64_t start_ex(const nvtx::Attributes* attributes) {
  return start(kDefaultDomain, name_of(kDefaultDomain, attributes));
}
std::uint64_t start_a(const char* message) {
  return start(kDefaultDomain, number_of(kDefaultDomain, text(message)));
}
std::uint64_t start_w(const wchar_t* message) {
  return start(kDefaultDomain, number_of(kDefaultDomain, text(message)));
}
int push_ex(const nvtx::Attributes* attributes) {
  return push(kDefaultDomain, name_of(kDefaultDomain, attributes));
}
int push_a(const char* message) {
  return push(kDefaultDomain, number_of(kDefaultDomain, text(message)));
}
int push_w(const wchar_t* message) {
  return push(kDefaultDomain, number_of(kDefaultDomain, text(message)));
}
int pop_default() { return pop(kDefaultDomain); }
void name_thread_a(std::uint32_t thread, const char* name) {
  annotations().name_thread(thread, text(name));
}
void name_thread_w(std::uint32_t thread, const wchar_t* name) {
  annotations().name_thread(thread, text(name));
}

// Those of any.
void domain_mark(void* handle, const nvtx::Attributes* attributes) {
  mark(domain_of(handle), name_of(domain_of(handle), attributes));
}
std::uint64_t domain_start(void* handle, const nvtx::Attributes* attributes) {
  return start(domain_of(handle), name_of(domain_of(handle), attributes));
}
void domain_end(void*, std::uint64_t range) { range_end(range); }
int domain_push(void* handle, const nvtx::Attributes* attributes) {
  return push(domain_of(handle), name_of(domain_of(handle), attributes));
}
int domain_pop(void* handle) { return pop(domain_of(handle)); }
void* register_a(void* handle, const char* message) {
  return new RegisteredString{number_of(domain_of(handle), text(message))};
}
void* register_w(void* handle, const wchar_t* message) {
  return new RegisteredString{number_of(domain_of(handle), text(message))};
}
void* domain_create_a(const char* name) { return new RangeDomain{text(name)}; }
void* domain_create_w(const wchar_t* name) { return new RangeDomain{text(name)}; }
void domain_destroy(void*) {}  // spans may still name it

struct Entry {
  unsigned index;
  void* function;
};

template <class Function>
void* address(Function* function) {
  return reinterpret_cast<void*>(function);
}

bool fill(const nvtx::Callbacks& callbacks, int module, std::initializer_list<Entry> entries) {
  nvtx::FunctionTable table = nullptr;
  unsigned size = 0;
  if (callbacks.table_of(module, &table, &size) == 0 || table == nullptr) return false;
  for (const Entry& entry : entries) {
    if (entry.index < size && table[entry.index] != nullptr) *table[entry.index] = entry.function;
  }
  return true;
}

}  // namespace

// Gives 1 when the tool is in place; 0 makes the program's calls do nothing.
extern "C" TACHOSTAT_ITT_EXPORT int InitializeInjectionNvtx2(nvtx::GetExportTable get_table) {
  if (get_table == nullptr || !recording()) return 0;
  const auto* callbacks = static_cast<const nvtx::Callbacks*>(get_table(nvtx::kCallbacks));
  if (callbacks == nullptr || callbacks->size < sizeof(nvtx::Callbacks)) return 0;
  library_called_in("NVTX", __builtin_return_address(0));
  const bool core = fill(*callbacks, nvtx::kCore,
                         {{nvtx::kMarkEx, address(mark_ex)},
                          {nvtx::kMarkA, address(mark_a)},
                          {nvtx::kMarkW, address(mark_w)},
                          {nvtx::kRangeStartEx, address(start_ex)},
                          {nvtx::kRangeStartA, address(start_a)},
                          {nvtx::kRangeStartW, address(start_w)},
                          {nvtx::kRangeEnd, address(range_end)},
                          {nvtx::kRangePushEx, address(push_ex)},
                          {nvtx::kRangePushA, address(push_a)},
                          {nvtx::kRangePushW, address(push_w)},
                          {nvtx::kRangePop, address(pop_default)},
                          {nvtx::kNameThreadA, address(name_thread_a)},
                          {nvtx::kNameThreadW, address(name_thread_w)}});
  const bool domains = fill(*callbacks, nvtx::kCore2,
                            {{nvtx::kDomainMarkEx, address(domain_mark)},
                             {nvtx::kDomainRangeStartEx, address(domain_start)},
                             {nvtx::kDomainRangeEnd, address(domain_end)},
                             {nvtx::kDomainRangePushEx, address(domain_push)},
                             {nvtx::kDomainRangePop, address(domain_pop)},
                             {nvtx::kDomainRegisterStringA, address(register_a)},
                             {nvtx::kDomainRegisterStringW, address(register_w)},
                             {nvtx::kDomainCreateA, address(domain_create_a)},
                             {nvtx::kDomainCreateW, address(domain_create_w)},
                             {nvtx::kDomainDestroy, address(domain_destroy)}});
  return core || domains ? 1 : 0;
}

}  // namespace tachostat::probe::itt
