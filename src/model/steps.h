// The arguments of a recipe's passes as values: whoever makes a recipe and the engine that applies
// it agree on them here. A place in the network is an edge, the tensor that enters input `input` of
// layer `layer` (as Graph names it).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "model/recipe.h"

namespace tachostat::model {

struct Edge {
  std::string layer = {};
  int input = 0;
  friend auto operator<=>(const Edge&, const Edge&) = default;
};

// Pass "quantise": values on these edges are rounded to few levels, so that the engine may compute
// on integers.
struct Quantise {
  struct Activation {
    Edge edge = {};
    // Ends of the range; one number for the whole tensor, or one per channel (axis 1).
    std::vector<float> low = {}, high = {};
    int levels = 256;
  };
  // Weights are rounded symmetrically per output channel, over their largest magnitude.
  struct Weight {
    Edge edge = {};
    int levels = 255;
    // The range is this many times the largest magnitude. 2 leaves the highest bit unused: without
    // VNNI, x86 adds two products of 8 × 8 bits in 16 bits, and saturates above.
    float headroom = 1;
  };
  std::vector<Activation> activations = {};
  std::vector<Weight> weights = {};
  // Rounds by plain arithmetic that no engine turns into integer kernels: the same numbers up to
  // rounding, slowly. For looking at tensors inside, which integer kernels would hide.
  bool simulated = false;
};
absl::StatusOr<Recipe::Step> to_step(const Quantise& quantise);
absl::StatusOr<Quantise> quantise_from(std::string_view arguments);

// Pass "shift": adds a number per channel (axis 1, or the last axis of a matrix product) to what
// the layer computes, before anything else sees it. Corrects the mean error of a quantised layer.
struct Shift {
  struct Layer {
    std::string layer = {};
    std::vector<float> by = {};
  };
  std::vector<Layer> layers = {};
};
absl::StatusOr<Recipe::Step> to_step(const Shift& shift);
absl::StatusOr<Shift> shift_from(std::string_view arguments);

// Pass "smooth": the tensor that enters some matrix products or convolutions is divided by a number
// per channel, and their weights are multiplied by it. What they compute stays the same, but no
// channel is much larger than the others any more, so that one range suits all. Method: SmoothQuant
// (Xiao et al., ICML 2023, equation 4): s = max|x|^strength ÷ max|w|^(1 - strength).
struct Smooth {
  // All read the same tensor and get the same numbers.
  struct Group {
    std::vector<Edge> activations = {}, weights = {};  // of each product one
    std::vector<float> largest = {};                   // by channel: max|x|
  };
  float strength = 0.5F;
  std::vector<Group> groups = {};
};
absl::StatusOr<Recipe::Step> to_step(const Smooth& smooth);
absl::StatusOr<Smooth> smooth_from(std::string_view arguments);

// Pass "twin": beside each of these layers stands a copy, "LAYER/twin", that reads the same inputs;
// the model gets an output of that name with the mean per channel (axis 1, or the last axis of a
// matrix product) of what the copy computes minus what the layer computes. What later steps do to
// the copy's inputs shows there by itself, without what they would do to other layers.
struct Twin {
  std::vector<std::string> layers = {};
};
std::string twin_of(const std::string& layer);
absl::StatusOr<Recipe::Step> to_step(const Twin& twin);
absl::StatusOr<Twin> twin_from(std::string_view arguments);

// Passes that write parts of the network more cheaply without changing what it computes. Each of
// these layers is where the pass finds a part that it knows; another network is an error.
//
// - "activation": an element-wise function of one tensor that is spelled out by several layers and
//   is one that engines know (GELU, Swish, …) becomes one layer. The name is its last layer's.
// - "table": the product of a one-hot encoding and a matrix, and what follows element by element,
//   becomes rows of a table. The name is the product's.
// - "squeeze": axes of one are dropped only after the element-wise layers and reductions behind a
//   convolution, which engines fuse with it or compute in its layout. The name is the squeeze's.
// - "transpose": one that moves axes of one around becomes a reshape, or a reshape and the change
//   between channels first and last that engines merge with their layouts. The name is its own.
// - "upsample": a transposed convolution whose steps are as wide as its kernel becomes a
//   convolution by 1 and a rearrangement. The name is its own.
struct Rewrite {
  std::string pass = {};
  std::vector<std::string> layers = {};
};
absl::StatusOr<Recipe::Step> to_step(const Rewrite& rewrite);
absl::StatusOr<Rewrite> rewrite_from(const Recipe::Step& step);

// Pass "kernel": layers run with kernels of other kinds than the engine would choose: with the
// first of these that it has for them. What they compute stays the same, up to rounding.
struct Kernels {
  struct Layer {
    std::string layer = {};
    std::vector<std::string> kinds = {};  // as the engine calls them: "jit_avx512_1x1"
  };
  std::vector<Layer> layers = {};
};
absl::StatusOr<Recipe::Step> to_step(const Kernels& kernels);
absl::StatusOr<Kernels> kernels_from(std::string_view arguments);

// Pass "prune": some channels of a group are left out wherever they are computed, and with them the
// weights that would read them. What a reader gets of such a channel is replaced by what a channel
// that stays says of it: x[dropped] ≈ factor · x[by] + offset goes into the reader's weights and
// bias.
struct Prune {
  struct Reader {
    Edge edge = {};            // the tensor that enters a product
    std::vector<int> by = {};  // for each dropped channel, numbered as before
    std::vector<float> factor = {}, offset = {};
  };
  struct Group {
    std::string name = {};          // ChannelGroup::name
    std::vector<int> dropped = {};  // ascending
    std::vector<Reader> readers = {};
  };
  std::vector<Group> groups = {};
};
absl::StatusOr<Recipe::Step> to_step(const Prune& prune);
absl::StatusOr<Prune> prune_from(std::string_view arguments);

// Channels that can only be left out together, through sums, gates and depthwise convolutions: what
// an engine finds and "prune" needs.
struct ChannelGroup {
  struct Reader {
    Edge edge = {};
    std::vector<float> weight = {};  // by channel: the squares of what multiplies it, added up
  };
  std::string name = {};  // of the first layer that computes them
  int channels = 0;
  std::vector<std::string> layers = {};  // whose work depends on how many there are
  std::vector<Reader> readers = {};      // in the order of the graph
};

// Pass "expose": the tensors on these edges become outputs of the model too, after its own, named
// "LAYER:INPUT". For calibration.
struct Expose {
  std::vector<Edge> edges = {};
};
std::string exposed_name(const Edge& edge);
absl::StatusOr<Recipe::Step> to_step(const Expose& expose);
absl::StatusOr<Expose> expose_from(std::string_view arguments);

}  // namespace tachostat::model
