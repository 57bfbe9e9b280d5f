#pragma once
/// Weight files of networks: PyTorch .pt/.pth/.ckpt/.tar (ZIP and legacy), .safetensors, .npz.
///
/// Nothing in a file is ever executed: pickles are interpreted by a small stack machine whose
/// objects are inert (see io/pickle.hh). Reading maps the file; a tensor's bytes are touched only
/// when asked for.

#include "hodo/base/text.hh"
#include "hodo/io/array.hh"
#include "hodo/io/json.hh"

#include <array>
#include <memory>

namespace hodo::io {

/// Which set of parameters of a training checkpoint is meant.
enum class WeightChoice { automatic, last, swa, ema };
constexpr auto names(WeightChoice) {
    return std::array<std::string_view, 4>{"automatic", "last", "swa", "ema"};
}

/// An open weight file.
class WeightFile {
  public:
    /// `choice`: `last` reads `state_dict` (or the top-level mapping), `swa` the averaged state
    /// kept by Lightning's StochasticWeightAveraging callback; `automatic` is `last`.
    static WeightFile open(const base::Path& file, WeightChoice choice = WeightChoice::automatic);

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
    /// One tensor, row-major. An unknown name is an error that names the nearest.
    Array get(std::string_view name) const;
    /// `hyper_parameters`, `epoch`, `global_step`, ... of a checkpoint, or the metadata of a
    /// safetensors file: everything that is plain data.
    const Json& metadata() const;

  private:
    struct Body;
    std::shared_ptr<const Body> body_;
};

/// Writes weights in the format of the extension (.safetensors; .pt, .pth, .ckpt; .npz).
/// PyTorch files hold {"state_dict": OrderedDict, ...members of `metadata`} when `metadata` is an
/// object with members, else the bare OrderedDict, and `torch.load(weights_only=True)` takes them.
/// Safetensors metadata values that are not text are stored as JSON text. Atomic.
void write_weights(const base::Path& file, const NamedArrays& weights,
                   const Json& metadata = Json::object());

}  // namespace hodo::io
