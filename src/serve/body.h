// The bytes of one request, received once and never moved: binary tensors are views into them and
// keep them alive.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <string_view>

namespace tachostat::serve {

// Not thread-safe while it is filled; immutable and shared after that.
class Body {
 public:
  // Readable bytes past the end, which the JSON reader's wide loads may touch.
  static constexpr std::size_t kPadding = 64;

  // Null when the memory cannot be had. The bytes are not initialised, so that a client that
  // announces much and sends little costs address space only.
  static std::shared_ptr<Body> Create(std::size_t size) {
    std::unique_ptr<char[]> bytes(new (std::nothrow) char[size + kPadding]);
    if (!bytes) return nullptr;
    std::memset(bytes.get() + size, 0, kPadding);
    return std::shared_ptr<Body>(new Body(std::move(bytes), size));
  }
  static std::shared_ptr<Body> copy_of(std::string_view text) {
    auto body = Create(text.size());
    if (body && !text.empty()) std::memcpy(body->data(), text.data(), text.size());
    return body;
  }

  char* data() { return bytes_.get(); }
  std::size_t size() const { return size_; }
  std::string_view text() const { return {bytes_.get(), size_}; }
  std::span<const std::byte> bytes() const {
    return {reinterpret_cast<const std::byte*>(bytes_.get()), size_};
  }

 private:
  Body(std::unique_ptr<char[]> bytes, std::size_t size) : bytes_(std::move(bytes)), size_(size) {}

  std::unique_ptr<char[]> bytes_;
  std::size_t size_;
};

}  // namespace tachostat::serve
