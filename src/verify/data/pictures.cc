#include <algorithm>
#include <array>
#include <filesystem>

#include "base/status.h"
#include "verify/data/source.h"

namespace tachostat::verify {

bool is_picture(const std::string& file_name) {
  static constexpr std::array<std::string_view, 9> kEndings = {
      ".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm"};
  std::string ending = std::filesystem::path(file_name).extension();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::find(kEndings.begin(), kEndings.end(), ending) != kEndings.end();
}

absl::Status pictures_refused(const std::string& example, const model::Graph& graph) {
  const model::Port input = graph.inputs.empty() ? model::Port{"x"} : graph.inputs[0];
  const std::filesystem::path path(example);
  const bool sized = input.shape.size() == 4 && input.shape[2] > 0 && input.shape[3] > 0;
  return base::invalid_argument(
      "'{}' is a picture; its size, colour order and scaling for input '{}' {} are yours to "
      "choose. Make an .npz of it, e.g. in Python:\n"
      "  import glob, numpy as np; from PIL import Image\n"
      "  x = np.stack([np.asarray(Image.open(f).convert('RGB').resize(({}, {}))).transpose(2, 0, "
      "1) / np.float32(255) for f in sorted(glob.glob('{}/*{}'))])\n"
      "  np.savez('data.npz', **{{'{}': x}})",
      example, input.name, model::to_string(input.shape), sized ? input.shape[3] : 224,
      sized ? input.shape[2] : 224, path.parent_path().string(), path.extension().string(),
      input.name);
}

}  // namespace tachostat::verify
