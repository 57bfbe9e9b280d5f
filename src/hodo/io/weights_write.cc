#include <algorithm>
#include <deque>
#include <map>

#include "hodo/base/error.hh"
#include "hodo/io/detail/pickle_writer.hh"
#include "hodo/io/detail/safetensors.hh"
#include "hodo/io/npz.hh"
#include "hodo/io/plain_checkpoint.hh"
#include "hodo/io/weights.hh"
#include "hodo/io/zip.hh"

namespace hodo::io {

namespace {

constexpr std::uint64_t data_alignment = 64;
constexpr std::string_view top = "archive/";

std::string_view storage_class(DType type, std::string_view tensor) {
    switch (type) {
        case DType::f64:
            return "DoubleStorage";
        case DType::f32:
            return "FloatStorage";
        case DType::f16:
            return "HalfStorage";
        case DType::bf16:
            return "BFloat16Storage";
        case DType::i64:
            return "LongStorage";
        case DType::i32:
            return "IntStorage";
        case DType::i16:
            return "ShortStorage";
        case DType::i8:
            return "CharStorage";
        case DType::u8:
            return "ByteStorage";
        case DType::boolean:
            return "BoolStorage";
        case DType::c64:
            return "ComplexFloatStorage";
        case DType::c128:
            return "ComplexDoubleStorage";
        default:
            base::fail(
                "tensor '{}': the type {} has no place in a PyTorch file that every version "
                "reads; convert it to int64",
                tensor, name(type));
    }
}

/// Which members stand where: Lightning's layout, or that of a plain loop (plain_checkpoint.hh).
enum class Layout { lightning, plain };

/// The pickle of a checkpoint, and the storages it refers to in the order of their keys.
class CheckpointPickle {
  public:
    CheckpointPickle(const Checkpoint& checkpoint, Layout layout) {
        if (layout == Layout::plain) {
            plain_members(checkpoint);
            pickle_ = writer_.finish();
            return;
        }
        const bool is_bare =
            checkpoint.optimizers.empty() && checkpoint.average.empty() &&
            (checkpoint.metadata.is_null() || checkpoint.metadata.members().empty());
        is_bare ? mapping(checkpoint.weights) : members(checkpoint);
        pickle_ = writer_.finish();
    }

    const std::string& bytes() const { return pickle_; }
    const std::vector<const Array*>& storages() const { return storages_; }

  private:
    void members(const Checkpoint& checkpoint) {
        writer_.begin_dict();
        for (const auto& [key, value] : checkpoint.metadata.members()) {
            const bool is_taken = key == "state_dict" || key == "optimizer_states" ||
                                  (key == "callbacks" && !checkpoint.average.empty());
            HODO_CHECK(!is_taken,
                       "the metadata of a checkpoint may not hold '{}', which stands for "
                       "something else in the file; rename it",
                       key);
            writer_.text(key);
            writer_.json(value);
        }
        writer_.text("state_dict");
        mapping(checkpoint.weights);
        if (!checkpoint.optimizers.empty()) optimizers(checkpoint.optimizers);
        if (!checkpoint.average.empty()) average(checkpoint.average);
        writer_.end_items();
    }

    void plain_members(const Checkpoint& checkpoint) {
        writer_.begin_dict();
        writer_.text("model");
        mapping(checkpoint.weights);
        if (!checkpoint.optimizers.empty()) {
            writer_.text("optimizer");
            optimizer(checkpoint.optimizers.front());
        }
        for (const auto& [key, value] : checkpoint.metadata.members()) {
            HODO_CHECK(key != "model" && key != "optimizer",
                       "the metadata of a checkpoint may not hold '{}', which stands for something "
                       "else in the file; rename it",
                       key);
            writer_.text(key);
            writer_.json(value);
        }
        writer_.end_items();
    }

    void mapping(const NamedArrays& arrays) {
        writer_.begin_ordered_dict();
        for (const auto& [name, array] : arrays) {
            writer_.text(name);
            tensor(name, array);
        }
        writer_.end_items();
    }

    void optimizers(const std::vector<OptimizerState>& states) {
        writer_.text("optimizer_states");
        writer_.begin_list();
        for (const auto& state : states) optimizer(state);
        writer_.end_list();
    }

    void optimizer(const OptimizerState& state) {
        writer_.begin_dict();
        writer_.text("state");
        writer_.begin_dict();
        for (const auto& slot : state.slots) optimizer_slot(slot);
        writer_.end_items();
        writer_.text("param_groups");
        writer_.json(state.groups);
        writer_.end_items();
    }

    void optimizer_slot(const OptimizerSlot& slot) {
        const std::vector<float> step{static_cast<float>(slot.step)};
        writer_.integer(slot.parameter);
        writer_.begin_dict();
        writer_.text("step");
        steps_.push_back(make_array(std::span(step), {}));
        tensor("step", steps_.back());
        for (const auto& [name, array] : slot.moments) {
            writer_.text(name);
            tensor(name, array);
        }
        writer_.end_items();
    }

    void average(const NamedArrays& arrays) {
        writer_.text("callbacks");
        writer_.begin_dict();
        writer_.text("StochasticWeightAveraging");
        writer_.begin_dict();
        writer_.text("average_model_state");
        mapping(arrays);
        writer_.end_items();
        writer_.end_items();
    }

    /// _rebuild_tensor_v2(storage, offset, sizes, strides, requires_grad, hooks)
    void tensor(std::string_view name, const Array& array) {
        const auto count = array.size();
        HODO_DOOR(array.bytes.size() == static_cast<std::size_t>(count) * item_size(array.dtype));
        writer_.symbol("torch._utils", "_rebuild_tensor_v2");
        writer_.begin_tuple();
        storage(name, array, count);
        writer_.integer(0);
        writer_.tuple(array.shape);
        writer_.tuple(strides(array.shape));
        writer_.boolean(false);
        writer_.begin_ordered_dict();
        writer_.end_items();
        writer_.end_tuple();
        writer_.call();
    }

    void storage(std::string_view name, const Array& array, std::int64_t count) {
        writer_.begin_tuple();
        writer_.text("storage");
        writer_.symbol("torch", storage_class(array.dtype, name));
        writer_.text(std::to_string(storages_.size()));
        writer_.text("cpu");
        writer_.integer(count);
        writer_.end_tuple();
        writer_.persistent();
        storages_.push_back(&array);
    }

    static std::vector<std::int64_t> strides(const std::vector<std::int64_t>& shape) {
        std::vector<std::int64_t> result(shape.size(), 1);
        for (std::size_t i = shape.size(); i-- > 1;) {
            result[i - 1] = result[i] * std::max<std::int64_t>(shape[i], 1);
        }
        return result;
    }

    PickleWriter writer_;
    std::string pickle_;
    std::vector<const Array*> storages_;
    std::deque<Array> steps_;  ///< arrays made here; their addresses stay
};

void require_unique(const NamedArrays& arrays, const base::Path& file) {
    std::map<std::string_view, int> seen;
    for (const auto& entry : arrays) {
        HODO_CHECK(++seen[entry.name] == 1, "{}: two tensors are called '{}'; rename one", file,
                   entry.name);
    }
}

void write_layout(const base::Path& file, const Checkpoint& checkpoint, Layout layout) {
    require_unique(checkpoint.weights, file);
    require_unique(checkpoint.average, file);
    const CheckpointPickle pickle(checkpoint, layout);
    const auto name = [](std::string_view member) {
        return std::string(top) + std::string(member);
    };
    ZipWriter archive(file);
    archive.add(name("data.pkl"), pickle.bytes(), Packing::stored, data_alignment);
    archive.add(name("byteorder"), "little", Packing::stored, data_alignment);
    for (std::size_t i = 0; i < pickle.storages().size(); ++i) {
        archive.add(name("data/" + std::to_string(i)), {pickle.storages()[i]->bytes},
                    Packing::stored, data_alignment);
    }
    archive.add(name("version"), "3\n", Packing::stored, data_alignment);
    archive.commit();
}

}  // namespace

void write_checkpoint(const base::Path& file, const Checkpoint& checkpoint) {
    write_layout(file, checkpoint, Layout::lightning);
}

void write_plain_checkpoint(const base::Path& file, const Checkpoint& checkpoint) {
    write_layout(file, checkpoint, Layout::plain);
}

void write_weights(const base::Path& file, const NamedArrays& weights, const Json& metadata) {
    const auto ending = file.extension().string();
    require_unique(weights, file);
    if (ending == ".safetensors") {
        write_safetensors(file, weights, metadata);
    } else if (ending == ".npz") {
        write_npz(file, weights, Compression::none);
    } else if (ending == ".pt" || ending == ".pth" || ending == ".ckpt") {
        write_checkpoint(file, {weights, metadata, {}, {}});
    } else {
        base::fail(
            "{}: the ending '{}' names no weight format; use .safetensors, .pt, .pth, .ckpt "
            "or .npz",
            file, ending);
    }
}

}  // namespace hodo::io
