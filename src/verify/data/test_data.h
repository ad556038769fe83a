// Data files for tests, made byte by byte or by libzip.
#pragma once

#include <gtest/gtest.h>
#include <zip.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "verify/data/dataset.h"
#include "verify/data/npy.h"
#include "verify/data/temporary.h"

namespace tachostat::verify {

template <class T>
std::string bytes_of(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

template <class T>
std::string npy(std::string_view descr, const model::Shape& shape, const std::vector<T>& values) {
  return npy_header(descr, shape) + bytes_of(values);
}
inline std::string f32(const model::Shape& shape, const std::vector<float>& values) {
  return npy("<f4", shape, values);
}

// An array whose header says what it likes.
inline std::string npy_with(std::string_view dictionary, std::string_view data = {}) {
  std::string text(dictionary);
  text += '\n';
  std::string file("\x93NUMPY\x01\x00", 8);
  file += static_cast<char>(text.size() & 0xff);
  file += static_cast<char>(text.size() >> 8);
  return file + text + std::string(data);
}

// A folder for one test, and files in it.
class TestFolder {
 public:
  std::string path(std::string_view name = {}) const { return folder_.path() / name; }
  std::string write(std::string_view name, std::string_view content) const {
    std::filesystem::create_directories(std::filesystem::path(path(name)).parent_path());
    std::ofstream(path(name), std::ios::binary) << content;
    return path(name);
  }
  std::string npz(std::string_view name, const std::map<std::string, std::string>& members,
                  bool compressed = false) const {
    zip* archive = zip_open(path(name).c_str(), ZIP_CREATE | ZIP_TRUNCATE, nullptr);
    for (const auto& [member, content] : members) {
      zip_source_t* source = zip_source_buffer(archive, content.data(), content.size(), 0);
      const auto index = zip_file_add(archive, (member + ".npy").c_str(), source, 0);
      zip_set_file_compression(archive, static_cast<zip_uint64_t>(index),
                               compressed ? ZIP_CM_DEFLATE : ZIP_CM_STORE, 0);
    }
    EXPECT_EQ(zip_close(archive), 0);
    return path(name);
  }

 private:
  TemporaryFolder folder_ = TemporaryFolder::create().value();
};

inline std::string read_file(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

// A model of one f32 input.
inline model::Graph model_of(const model::Shape& shape, std::vector<model::Port> outputs = {}) {
  model::Graph graph;
  graph.name = "m";
  graph.inputs = {{"x", model::DataType::kF32, shape}};
  graph.outputs = std::move(outputs);
  return graph;
}

template <class T>
std::vector<T> elements_of(const engine::Tensor& tensor) {
  std::vector<T> values(tensor.data.size() / sizeof(T));
  std::memcpy(values.data(), tensor.data.data(), values.size() * sizeof(T));
  return values;
}

}  // namespace tachostat::verify
