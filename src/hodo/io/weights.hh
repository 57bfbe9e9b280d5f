#pragma once
/// Weight files of networks: PyTorch .pt/.pth/.ckpt/.tar (ZIP and legacy), .safetensors, .npz.
///
/// Nothing in a file is ever executed: pickles are interpreted by a small stack machine whose
/// objects are inert (see io/pickle.hh). Reading maps the file; a tensor's bytes are touched only
/// when asked for. The kind of a file is told from its content, not from its name.
///
/// Which members of a PyTorch file are weights: the mapping under `state_dict`, `model_state_dict`
/// or `model`, else the file's whole mapping if it holds tensors, else the one tensor it holds.
/// Nested mappings give names joined by dots. Byte layouts: docs/formats/weights.md.

#include "hodo/base/text.hh"
#include "hodo/io/array.hh"
#include "hodo/io/json.hh"
#include "hodo/io/mapped_file.hh"

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace hodo::io {

/// Which set of parameters of a training checkpoint is meant: `last` is what the network had when
/// the file was written, `swa` the average of Lightning's StochasticWeightAveraging callback, `ema`
/// an exponential moving average; `automatic` is `last`.
enum class WeightChoice { automatic, last, swa, ema };
constexpr auto names(WeightChoice) {
    return std::array<std::string_view, 4>{"automatic", "last", "swa", "ema"};
}

/// What an optimizer keeps for one parameter.
struct OptimizerSlot {
    std::int64_t parameter = 0;  ///< position in the order of registration
    double step = 0;             ///< updates so far; 0 when the optimizer does not count
    NamedArrays moments;         ///< "exp_avg" and "exp_avg_sq" for Adam; "momentum_buffer"; ...

    /// The array called `name`; an error that names the parameter when absent.
    const Array& moment(std::string_view name) const;
};

/// The state of one optimizer of a training checkpoint.
struct OptimizerState {
    std::vector<OptimizerSlot> slots;  ///< by ascending parameter
    Json groups = Json::list();  ///< `param_groups`: lr, betas, eps, weight_decay, params, ...
};

struct WeightBody;

/// An open weight file. A value type; copies share the file. Thread safe.
class WeightFile {
  public:
    static WeightFile open(const base::Path& file, WeightChoice choice = WeightChoice::automatic);
    /// Reads a file in memory; `origin` stands in messages.
    static WeightFile parse(Blob content, std::string_view origin,
                            WeightChoice choice = WeightChoice::automatic);

    /// "pytorch", "pytorch-legacy", "safetensors" or "npz".
    std::string_view format() const;
    const base::Path& path() const;
    /// Names in the file's order, and shape and type without reading data.
    struct Entry {
        std::string name;
        DType dtype;
        std::vector<std::int64_t> shape;
    };
    const std::vector<Entry>& entries() const;
    bool has(std::string_view name) const;
    /// One tensor, row-major. An unknown name is an error that names the nearest. Shared memory
    /// when the file holds it contiguous and aligned, else a copy.
    Array get(std::string_view name) const;
    /// All tensors in the file's order.
    NamedArrays all() const;
    /// `hyper_parameters`, `epoch`, `global_step`, ... of a checkpoint, or the metadata of a
    /// safetensors file: everything that is plain data. Tensors stand as {"tensor": {"dtype",
    /// "shape"}}, objects without meaning for us as {"opaque": "module name"}, integers beyond 64
    /// bits as text. Inside `hyper_parameters` an object without meaning is an error that names it.
    const Json& metadata() const;
    /// How many optimizers the checkpoint holds (0 in a plain weight file), and one of them.
    std::size_t optimizer_count() const;
    OptimizerState optimizer(std::size_t index = 0) const;

  private:
    std::shared_ptr<const WeightBody> body_;
};

/// Everything that a PyTorch checkpoint written by `write_checkpoint` holds.
struct Checkpoint {
    NamedArrays weights;             ///< `state_dict`
    Json metadata = Json::object();  ///< members beside it: `hyper_parameters`, `epoch`, ...
    std::vector<OptimizerState> optimizers;  ///< `optimizer_states`
    NamedArrays average;                     ///< what `WeightChoice::swa` reads; may be empty
};

/// Writes a PyTorch checkpoint: a ZIP archive with a pickle of protocol 2 and one aligned member
/// for each tensor, which `torch.load(weights_only=True)` takes. A lone set of weights (nothing in
/// the other members) is written as the bare mapping. Atomic.
void write_checkpoint(const base::Path& file, const Checkpoint& checkpoint);

/// Writes weights in the format of the extension (.safetensors; .pt, .pth, .ckpt; .npz).
/// PyTorch files hold {"state_dict": OrderedDict, ...members of `metadata`} when `metadata` is an
/// object with members, else the bare OrderedDict, and `torch.load(weights_only=True)` takes them.
/// Safetensors metadata values that are not text are stored as JSON text. Atomic.
void write_weights(const base::Path& file, const NamedArrays& weights,
                   const Json& metadata = Json::object());

}  // namespace hodo::io
