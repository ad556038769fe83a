#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/status.h"
#include "trace/import.h"

namespace tachostat::trace {
namespace {

constexpr std::size_t kBlock = 256 * 1024;

bool is_gzip(std::string_view bytes) {
  return bytes.size() >= 2 && bytes[0] == '\x1f' && bytes[1] == '\x8b';
}

}  // namespace

struct Input::State {
  std::string name;
  std::string plain_path;
  std::string start;
  std::size_t start_given = 0;  // of `start`, handed out by read()

  std::ifstream file;
  std::string memory;
  std::size_t memory_at = 0;
  bool in_memory = false;

  bool packed = false;
  z_stream inflater{};
  bool inflating = false;
  bool at_end = false;
  std::string block = {};  // packed bytes that wait

  ~State() {
    if (inflating) inflateEnd(&inflater);
  }

  std::size_t raw(char* to, std::size_t most) {
    if (!in_memory) {
      file.read(to, static_cast<std::streamsize>(most));
      return static_cast<std::size_t>(file.gcount());
    }
    const std::size_t n = std::min(most, memory.size() - memory_at);
    std::memcpy(to, memory.data() + memory_at, n);
    memory_at += n;
    return n;
  }

  absl::StatusOr<std::size_t> unpack(char* to, std::size_t most) {
    inflater.next_out = reinterpret_cast<Bytef*>(to);
    inflater.avail_out = static_cast<uInt>(std::min(most, kBlock));
    const uInt room = inflater.avail_out;
    while (inflater.avail_out == room && !at_end) {
      if (inflater.avail_in == 0) {
        block.resize(kBlock);
        const std::size_t n = raw(block.data(), block.size());
        if (n == 0) return base::invalid_argument("{}: the gzip data is cut off", name);
        inflater.next_in = reinterpret_cast<Bytef*>(block.data());
        inflater.avail_in = static_cast<uInt>(n);
      }
      const int code = inflate(&inflater, Z_NO_FLUSH);
      if (code == Z_STREAM_END) {
        TS_RETURN_IF_ERROR(next_member());
      } else if (code != Z_OK && code != Z_BUF_ERROR) {
        return base::invalid_argument("{}: damaged gzip data ({})", name,
                                      inflater.msg != nullptr ? inflater.msg : "no more is known");
      }
    }
    return room - inflater.avail_out;
  }

  // Gzip files may be several, one after the other.
  absl::Status next_member() {
    if (inflater.avail_in == 0) {
      block.resize(kBlock);
      const std::size_t n = raw(block.data(), block.size());
      inflater.next_in = reinterpret_cast<Bytef*>(block.data());
      inflater.avail_in = static_cast<uInt>(n);
    }
    if (inflater.avail_in == 0) {
      at_end = true;
      return absl::OkStatus();
    }
    if (inflateReset(&inflater) != Z_OK) return base::invalid_argument("{}: damaged gzip", name);
    return absl::OkStatus();
  }

  absl::StatusOr<std::size_t> next(char* to, std::size_t most) {
    if (!packed) return raw(to, most);
    if (at_end) return 0;
    return unpack(to, most);
  }

  absl::Status begin() {
    std::array<char, 2> magic{};
    const std::size_t n = raw(magic.data(), magic.size());
    packed = is_gzip({magic.data(), n});
    if (in_memory) {
      memory_at = 0;
    } else {
      file.clear();
      file.seekg(0);
    }
    if (packed) {
      plain_path.clear();
      constexpr int kGzip = 16 + MAX_WBITS;
      inflating = inflateInit2(&inflater, kGzip) == Z_OK;
      if (!inflating) return absl::ResourceExhaustedError("no memory to unpack " + name);
    }
    start.resize(kStart);
    std::size_t have = 0;
    while (have < kStart) {
      TS_ASSIGN_OR_RETURN(const std::size_t got, next(start.data() + have, kStart - have));
      if (got == 0) break;
      have += got;
    }
    start.resize(have);
    return absl::OkStatus();
  }
};

Input::Input(std::unique_ptr<State> state) : state_(std::move(state)) {}
Input::Input(Input&&) noexcept = default;
Input& Input::operator=(Input&&) noexcept = default;
Input::~Input() = default;

absl::StatusOr<Input> Input::open(const std::string& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) return base::not_found("{}: no such file", path);
  if (std::filesystem::is_directory(status)) {
    return base::invalid_argument("{}: a directory; expected a file", path);
  }
  auto state = std::make_unique<State>();
  state->name = path;
  state->plain_path = path;
  state->file.open(path, std::ios::binary);
  if (!state->file) {
    return base::invalid_argument("{}: cannot be read: {}", path, std::strerror(errno));
  }
  TS_RETURN_IF_ERROR(state->begin());
  return Input(std::move(state));
}

absl::StatusOr<Input> Input::of(std::string bytes, std::string name) {
  auto state = std::make_unique<State>();
  state->name = std::move(name);
  state->memory = std::move(bytes);
  state->in_memory = true;
  TS_RETURN_IF_ERROR(state->begin());
  return Input(std::move(state));
}

const std::string& Input::name() const { return state_->name; }
const std::string& Input::plain_path() const { return state_->plain_path; }
std::string_view Input::start() const { return state_->start; }

absl::StatusOr<std::size_t> Input::read(char* to, std::size_t most) {
  State& state = *state_;
  if (state.start_given < state.start.size()) {
    const std::size_t n = std::min(most, state.start.size() - state.start_given);
    std::memcpy(to, state.start.data() + state.start_given, n);
    state.start_given += n;
    return n;
  }
  return state.next(to, most);
}

absl::StatusOr<std::string> Input::all(std::size_t limit) {
  std::string bytes;
  for (;;) {
    const std::size_t have = bytes.size();
    bytes.resize(have + std::min(kBlock, limit + 1 - have));
    TS_ASSIGN_OR_RETURN(const std::size_t n, read(bytes.data() + have, bytes.size() - have));
    bytes.resize(have + n);
    if (n == 0) return bytes;
    if (bytes.size() > limit) {
      return absl::ResourceExhaustedError(fmt::format(
          "{}: larger than the {} bytes that this format is read up to", name(), limit));
    }
  }
}

}  // namespace tachostat::trace
