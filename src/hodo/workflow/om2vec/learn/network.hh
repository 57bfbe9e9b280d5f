#pragma once
/// A trained network with what it needs to be used: how its input is binned.
///
/// Our model files are safetensors whose metadata hold `workflow` "om2vec", `model` and `binning`
/// as YAML (the options structs) and `weights`, which set they are ("last", "best", "swa", "ema").
/// Checkpoints of the original carry neither: the model is inferred from the tensors' shapes, and
/// the binning is the original's, one bin per nanosecond.

#include "hodo/detector/optical/binning.hh"
#include "hodo/io/table.hh"
#include "hodo/workflow/om2vec/learn/inference.hh"
#include "hodo/workflow/om2vec/learn/model.hh"
#include "hodo/workflow/om2vec/options.hh"

#include <optional>
#include <span>
#include <string>

namespace hodo::om2vec {

struct Network {
    Model model;
    optical::Binning binning;
    std::string source;       ///< Path of the weight file.
    std::string fingerprint;  ///< FNV-1a of the parameters' bytes, 16 hexadecimal digits.
};

/// Whether a binning in the configuration was given by the user.
enum class BinningChoice { given, by_default };

/// Loads a run directory's model.safetensors or a weight file. A `given` binning that disagrees
/// with what the file says is an error; with `by_default` the file, else the original's, holds.
Network load_network(const NetworkOptions& options, const optical::Binning& binning,
                     BinningChoice choice);

/// Writes `folder`/model.safetensors and, when the architecture is the original's, model.ckpt that
/// its code loads.
void save_network(const base::Path& folder, Model& model, const optical::Binning& binning,
                  std::string_view which);

/// Moves the parameters to a device.
void move_to(Model& model, at::Device device);

/// A trained network in use: our own kernels for float32 on the CPU, tensor operations in parts of
/// a few modules otherwise. Memory does not grow with the number of modules.
class NetworkInUse {
  public:
    NetworkInUse(const Network& network, tensor::Precision precision);
    const ModelOptions& options() const { return model_.options(); }

    /// Means and log variances, [modules, latent] each; `log_variances` may be empty.
    void encode(const CountView& counts, std::span<float> means,
                std::span<float> log_variances) const;
    /// z [modules, latent] to bin probabilities [modules, bins].
    void decode(std::span<const float> z, std::span<float> probabilities) const;

  private:
    nn::Pass pass() const;
    const Model& model_;
    tensor::Precision precision_;
    std::optional<Inference> fast_;
};

/// What every output says about its network: weights, fingerprint, binning, time zero, version.
io::KeyValues provenance(const Network& network);

}  // namespace hodo::om2vec
