#pragma once
/// The published networks: a sparse residual U-Net with a head, one number per input row.
///
///   voxels -> rows of one voxel summed -> UResNet (m channels) -> its row to each input row
///   binary: sigmoid(linear m -> 1)
///   charge: hidden layers of [linear m -> m, ReLU], then linear m -> 1
///
/// Parameters and statistics have the names, shapes and order of the original's state dictionary.
///
/// Our weight files are safetensors whose metadata hold `workflow` "lartpc", `model` as YAML and
/// the `epoch` after which the weights were like this; checkpoints of the original
/// (`checkpoint_NNN.pth.tar`) say nothing, so the model is inferred from the tensors' shapes unless
/// options are given.

#include "hodo/base/random.hh"
#include "hodo/base/text.hh"
#include "hodo/io/table.hh"
#include "hodo/io/weights.hh"
#include "hodo/nn/linear.hh"
#include "hodo/nn/uresnet.hh"
#include "hodo/workflow/lartpc/model_options.hh"

#include <optional>
#include <string>
#include <vector>

namespace hodo::lartpc {

struct VoxelBatch;

/// Copies share the parameters. Evaluation is safe from several threads while nobody writes
/// parameters.
class CellNet {
  public:
    /// Allocates the parameters (float32 or float64); they hold no values until `initialise` or a
    /// weight file fills them.
    explicit CellNet(const ModelOptions& options, const at::TensorOptions& tensors = at::kFloat);
    /// First values by the original's rules, each parameter from its own stream.
    void initialise(std::uint64_t seed);
    /// All tensors of the state dictionary, running statistics included.
    void visit(tensor::ParameterVisitor& v);
    /// Those that learn: no running statistics and, when frozen, the head only.
    std::vector<tensor::NamedParameter> learning_parameters();
    /// Those that are in the original's optimizer, in its order: all but running statistics.
    std::vector<tensor::NamedParameter> trainable_parameters();

    const ModelOptions& options() const { return options_; }

    /// One number per row of the batch, [rows]. Training mode uses the statistics of the batch and
    /// notes them; evaluation without gradients fuses norms into convolutions.
    at::Tensor operator()(const VoxelBatch& batch, nn::Mode mode);
    /// The same in evaluation mode, without gradients.
    std::vector<float> predict(const VoxelBatch& batch) const;

  private:
    sparse::Input input_of(const VoxelBatch& batch) const;
    /// The answer for every input row.
    at::Tensor head_of(sparse::SparseTensor y, const sparse::Input& input) const;
    ModelOptions options_;
    nn::UResNet body_;
    std::vector<nn::Linear> head_;
};

/// A trained network with where it comes from.
struct Network {
    CellNet model;
    std::string source;                 ///< Path of the weight file.
    std::string fingerprint;            ///< FNV-1a of the parameters' bytes.
    std::optional<std::int64_t> epoch;  ///< After which it was like this, where the file says so.
};

/// Opens a run directory (its model.safetensors, else its newest checkpoint_NNN.pth.tar), a weight
/// file or a checkpoint of the original. `options` decide the network if given, and must fit.
Network load_network(const base::Path& weights, const std::optional<ModelOptions>& options = {});

/// Which names must agree when weights are taken over: `transfer` takes those that are there and of
/// the right shape, and says what it left.
enum class Match { strict, transfer };
void load_weights(CellNet& model, const base::Path& weights, Match match = Match::strict);
/// The weight file that `load_weights` would read.
io::WeightFile open_weights(const base::Path& weights);

/// The epoch after which weights were like this: by the metadata of a weight file of ours, or the
/// name checkpoint_NNN.pth.tar.
std::optional<std::int64_t> epoch_of_weights(const base::Path& weights);

/// Writes `folder`/model.safetensors.
void save_network(const base::Path& folder, CellNet& model, std::string_view which,
                  std::optional<std::int64_t> epoch = {});

/// What every output says about its network.
io::KeyValues provenance(const Network& network);

}  // namespace hodo::lartpc
