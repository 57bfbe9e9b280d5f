// Weight files of every format: the header, every tensor of at most a megabyte, the metadata.

#include "hodo/io/weights.hh"
#include "fuzz/target.hh"
#include "hodo/base/error.hh"

namespace {

hodo::io::NamedArrays weights() {
    const std::vector<float> values{1, 2, 3, 4, 5, 6};
    return {{"layer.weight", hodo::io::make_array(std::span(values), {2, 3})},
            {"layer.bias", hodo::io::make_array(std::vector<double>{0.5})}};
}

void write_training(const hodo::base::Path& file) {
    hodo::io::Checkpoint checkpoint;
    checkpoint.weights = weights();
    checkpoint.average = weights();
    checkpoint.metadata["epoch"] = 3;
    hodo::io::OptimizerState adam;
    adam.slots.push_back({0, 7.0, {{"exp_avg", weights()[0].array}}});
    checkpoint.optimizers.push_back(adam);
    write_checkpoint(file, checkpoint);
}

}  // namespace

void hodo::fuzz::read(std::string_view data) {
    const auto file = io::WeightFile::parse(io::make_blob(data), "fuzz.pt");
    for (const auto& entry : file.entries()) {
        std::int64_t count = 1;
        for (auto length : entry.shape) {
            if (__builtin_mul_overflow(count, length, &count)) count = -1;
        }
        if (count < 0 || count > (1 << 17)) continue;
        try {
            file.get(entry.name);
        } catch (const base::Error&) {
            // One bad tensor says nothing about the others.
        }
    }
    file.metadata();
    for (std::size_t i = 0; i < file.optimizer_count(); ++i) file.optimizer(i);
}

std::vector<std::string> hodo::fuzz::seeds() {
    const auto write = [](const base::Path& file) { io::write_weights(file, weights()); };
    return {written(".pt", write), written(".npz", write), written(".safetensors", write),
            written(".ckpt", write_training)};
}
