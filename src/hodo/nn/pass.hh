#pragma once
/// One pass through a network: everything a layer must know besides its input.

#include "hodo/tensor/autocast.hh"

#include <cstdint>

namespace hodo::nn {

enum class Mode { evaluate, train };

/// `fused`: attention and feed-forward parts through our own kernels where they apply (float32 and
/// bfloat16 on the CPU, and on CUDA in builds with CUDA); `plain`: through LibTorch's operations,
/// the readable reference, which are also what runs where the kernels do not apply. `as_written`:
/// every formula in the published order, with LibTorch's random numbers for dropout, which no seed
/// of ours names: what the others are measured against.
enum class Engine { fused, plain, as_written };

/// A value for one pass: make a fresh one for each. Dropout masks are named by (key, step, place,
/// row, column), where places are counted in the order in which the pass meets them; so they do
/// not depend on threads, nor on how a batch is cut: `first_entry` is the position of this pass's
/// first entry in the whole batch.
struct Pass {
    Mode mode = Mode::evaluate;
    double dropout = 0.0;    ///< Probability to drop a number, in [0, 1).
    std::uint64_t key = 0;   ///< base::stream_key(seed, "dropout").
    std::uint32_t step = 0;  ///< Training step.
    std::int64_t first_entry = 0;
    /// `bf16`: matrix products in bfloat16; softmax, normalisation and everything else stay in the
    /// type of the input. `float32`: everything in the type of the input.
    tensor::Precision precision = tensor::Precision::float32;
    Engine engine = Engine::fused;

    bool drops() const { return mode == Mode::train && dropout > 0.0; }
    std::uint32_t next_place() { return place_++; }

  private:
    std::uint32_t place_ = 0;
};

}  // namespace hodo::nn
