#pragma once
/// The network for use, not for learning: float32 on the CPU, weights packed once, no gradients.
///
/// Modules are computed one by one through our own kernels (only the last map of the decoder takes
/// a few together); memory does not grow with their number, and a module's result is the same bits
/// whatever its batch mates and however many threads work. Threads share modules.
///
/// Exact rewrites of the published network: sparse input, last two maps of each half commuted,
/// keys and values of the cross-attention made once, the first self-attention of each half as one
/// function of a number per head, equal inputs computed once, modules with one photon looked up.

#include "hodo/nn/packed.hh"
#include "hodo/nn/scalar_attention.hh"
#include "hodo/workflow/om2vec/learn/model.hh"
#include "hodo/workflow/om2vec/one_photon_table.hh"

#include <memory>
#include <span>

namespace hodo::om2vec {

class Inference {
  public:
    /// Copies the weights of `model`; later changes of the model are not seen. `kernels` chooses
    /// the variant of the kernels.
    explicit Inference(const Model& model, const nn::Kernels& kernels = nn::kernels());

    const ModelOptions& options() const { return options_; }
    /// What is known of modules with one photon; used unless the network reads positions.
    const OnePhotonTable& one_photon() const { return *one_photon_; }

    /// Writes mean and log variance, [modules, latent] each; `log_variances` may be empty.
    void encode(const CountView& counts, std::span<float> means,
                std::span<float> log_variances) const;
    /// z [modules, latent] to logits [modules, bins].
    void decode(std::span<const float> z, std::span<float> logits) const;

  private:
    struct Work;
    /// The bin of a module whose only photon may be looked up, else -1.
    std::int64_t single_bin(const CountView& counts, std::int64_t module) const;
    void encode_module(const CountView& counts, std::int64_t module, Work& work, float* mean,
                       float* log_variance) const;
    void collect(const nn::PackedLinear& map, nn::ConstMatrixView h, std::int64_t tokens,
                 Work& work, float* numbers) const;
    void decode_module(const float* z, Work& work, float* summary) const;
    /// The columns of some panels of the last map, for all modules; `summaries` [modules, T].
    void last_map(nn::ConstMatrixView summaries, std::int64_t modules, std::int64_t first_panel,
                  std::int64_t last_panel, std::span<float> logits) const;
    void first_map(const CountView& counts, std::int64_t module, float* s) const;

    ModelOptions options_;
    const nn::Kernels* kernels_;
    nn::AlignedFloats first_weight_;              ///< [bins, T_0]: one row per bin
    nn::AlignedFloats first_bias_;                ///< [T_0]
    nn::AlignedFloats position_;                  ///< [3, T_0], empty without positions
    nn::PackedLinear lift_, decoder_lift_;        ///< 1 -> d
    nn::PackedLinear collect_, decoder_collect_;  ///< d -> 1 without its bias
    nn::PackedScalarAttention first_attention_, first_decoder_attention_;
    std::vector<nn::PackedEncoderLayer> encoder_;
    std::vector<nn::PackedDecoderLayer> decoder_;
    std::vector<nn::PackedTokenMap> encoder_maps_, decoder_maps_;  ///< All but the last of each.
    nn::PackedLinear code_, mean_, log_variance_, logits_;
    std::unique_ptr<OnePhotonTable> one_photon_;
};

/// For each module the first one with exactly the same histogram (and position, if any); of all
/// modules or of some.
std::vector<std::int64_t> first_equal_module(const CountView& counts);
std::vector<std::int64_t> first_equal_module(const CountView& counts,
                                             std::span<const std::int64_t> modules);

}  // namespace hodo::om2vec
