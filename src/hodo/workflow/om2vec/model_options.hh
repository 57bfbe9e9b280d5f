#pragma once
/// Hyper-parameters of the om2vec network, and how to recognise them in a weight file.
///
/// The network is a variational autoencoder of photon arrival-time histograms: `bins` counts of one
/// optical module go through a linear map to tokens[0] numbers, each lifted to `embed` channels;
/// one transformer layer per entry of `tokens`, each followed by a linear map along the tokens to
/// the next length (the last to 2 `latent`); mean and log variance of `latent` numbers. The decoder
/// mirrors it: `latent`, tokens reversed, `bins`.
///
/// Reference: arXiv:2410.13148 and its published code (which fixes heads, feedforward, dropout and
/// tokens to the defaults below).

#include "hodo/base/fields.hh"
#include "hodo/workflow/network_file.hh"

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hodo::om2vec {

struct ModelOptions {
    std::int64_t bins = 6400;  ///< F: time bins of a histogram; `in_features` of the original.
    std::int64_t latent = 64;  ///< L: numbers in a latent vector.
    std::int64_t embed = 32;   ///< d: channels of a token.
    std::int64_t heads = 4;    ///< Attention heads; must divide `embed`.
    std::int64_t feedforward = 2048;
    std::vector<std::int64_t> tokens{1024, 512, 256};
    double dropout = 0.1;
    bool sensor_positional_encoding = false;

    void describe(base::Fields& f);
    bool operator==(const ModelOptions&) const = default;
};

/// Sizes of network: `toy` runs in seconds on a laptop, `small` trains there, `paper` is the
/// published one.
enum class Preset { toy, small, paper };
constexpr auto names(Preset) {
    return std::array<std::string_view, 3>{"toy", "small", "paper"};
}
ModelOptions preset(Preset size);

/// The options of the network that has these tensors (heads and dropout leave no trace in shapes
/// and keep their defaults). Error if a tensor is missing, has the wrong shape, or is not part of
/// such a network; `origin` (a file) stands in messages.
ModelOptions infer_options(std::span<const workflow::NamedShape> tensors, std::string_view origin);

/// Name and shape of every parameter, in the original's order of registration.
std::vector<workflow::NamedShape> parameter_shapes(const ModelOptions& options);

/// Number of trainable numbers.
std::int64_t parameter_count(const ModelOptions& options);

}  // namespace hodo::om2vec
