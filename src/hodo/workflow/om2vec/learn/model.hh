#pragma once
/// The om2vec network: a transformer variational autoencoder of arrival-time histograms.
///
/// With B modules, F bins, d channels, token counts T_0 > T_1 > ... and L latent numbers:
///
///   encode  s = LeakyReLU_0.01(W_0 ln(1 + n) + b_0)   [B, T_0]   (plus a linear map of the
///           module's position added to ln(1 + n) when that option is on)
///           h = s w_e + b_e                            [B, T_0, d]
///           per level: encoder layer, then a linear map along the tokens to T_{i+1}, last 2 L
///           linear d -> 1; two linear maps to mean and log variance   [B, L]
///   sample  z = mean + eps exp(log_variance / 2)
///   decode  h = z w_d + b_d                            [B, L, d]
///           per level: decoder layer with the learned memory [L, d], then a linear map along the
///           tokens to ... T_1, T_0, F; linear d -> 1: logits [B, F]
///
/// Parameters have the names, shapes and order of the original's state dictionary. The input is
/// sparse: the first map touches only weight columns of bins that occur. The last map along the
/// tokens of either half commutes with the following d -> 1 and is done after it, so that no
/// [B, F, d] tensor exists.
///
/// Reference: arXiv:2410.13148.

#include "hodo/nn/transformer.hh"
#include "hodo/workflow/om2vec/learn/batch.hh"
#include "hodo/workflow/om2vec/model_options.hh"

#include <vector>

namespace hodo::om2vec {

struct Latent {
    at::Tensor mean;          ///< [modules, latent]
    at::Tensor log_variance;  ///< [modules, latent]
};

struct Output {
    Latent latent;
    at::Tensor sample;  ///< z, [modules, latent]
    at::Tensor logits;  ///< [modules, bins]
};

struct EncoderLevel {
    nn::EncoderLayer layer;
    nn::Linear downsample;
    void visit(tensor::ParameterVisitor& v);
};

struct DecoderLevel {
    nn::DecoderLayer layer;
    nn::Linear upsample;
    void visit(tensor::ParameterVisitor& v);
};

/// Parameters and the maps between them. Copies share the parameters. Safe to use from several
/// threads as long as nobody writes parameters.
class Model {
  public:
    /// Allocates the parameters (float32 or float64); they hold no values until `initialise` or a
    /// weight file fills them.
    explicit Model(const ModelOptions& options,
                   const at::TensorOptions& tensors = at::TensorOptions().dtype(at::kFloat));
    /// First values from the seed, by the original's rules: each parameter from its own stream.
    void initialise(std::uint64_t seed);
    void visit(tensor::ParameterVisitor& v);

    const ModelOptions& options() const { return options_; }
    at::ScalarType type() const { return mem_embedding.scalar_type(); }

    Latent encode(const Batch& batch, nn::Pass& pass) const;
    /// z [modules, latent] to logits [modules, bins].
    at::Tensor decode(const at::Tensor& z, nn::Pass& pass) const;
    /// encode, sample with the given eps [modules, latent], decode.
    Output forward(const Batch& batch, const at::Tensor& eps, nn::Pass& pass) const;

    /// The stages of `encode` and `decode`.
    at::Tensor first_map(const Batch& batch, const nn::Pass& pass) const;  ///< s [B, T_0]
    at::Tensor encoder_tokens(const at::Tensor& s, nn::Pass& pass) const;  ///< [B, T_last, d]
    at::Tensor decoder_tokens(const at::Tensor& z, nn::Pass& pass) const;  ///< [B, T_0, d]

    at::Tensor mem_embedding;  ///< [latent, embed]
    nn::Linear embedding, initial_downsample;
    std::vector<EncoderLevel> encoder;
    nn::Linear latent_output, fc_mu, fc_logvar, decoder_embedding;
    std::vector<DecoderLevel> decoder;
    nn::Linear output;
    nn::Linear sensor_positional_encoding;  ///< Undefined tensors when the option is off.

  private:
    ModelOptions options_;
};

/// A pass of this network in the given mode, with its dropout probability.
nn::Pass make_pass(const Model& model, nn::Mode mode);

/// Standard normal numbers [modules, latent] for the modules [first, first + modules) of step
/// `step`: independent of threads and of how a batch is cut.
at::Tensor latent_noise(std::uint64_t seed, std::int64_t step, std::int64_t first,
                        std::int64_t modules, std::int64_t latent, at::ScalarType type);

}  // namespace hodo::om2vec
