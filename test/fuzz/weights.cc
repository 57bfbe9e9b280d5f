// Weight files of every format, and everything in them. What follows the first pickles of a legacy
// PyTorch file is also tried alone: no checksum keeps a changed byte from being read there.

#include "hodo/io/weights.hh"
#include "fuzz/target.hh"
#include "hodo/base/error.hh"

namespace {

const std::string legacy_begin(
    "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.\x80\x02}.", 25);

void read_file(std::string_view content) {
    const auto file = hodo::io::WeightFile::parse(hodo::io::make_blob(content), "fuzz.pt");
    file.metadata().dump();
    for (const auto& entry : file.entries()) {
        if (file.get(entry.name).shape != entry.shape) throw hodo::base::Defect("another shape");
    }
    for (std::size_t i = 0; i < file.optimizer_count(); ++i) file.optimizer(i);
}

hodo::io::NamedArrays example() {
    using hodo::io::make_array;
    return {{"weight", make_array<float>({1, 2, 3})}, {"steps", make_array<std::int64_t>({4})}};
}

void write_training(const hodo::base::Path& file) {
    hodo::io::Checkpoint checkpoint;
    checkpoint.weights = example();
    checkpoint.average = example();
    checkpoint.metadata["epoch"] = 3;
    hodo::io::OptimizerState adam;
    adam.slots.push_back({0, 7.0, {{"exp_avg", example()[0].array}}});
    checkpoint.optimizers.push_back(adam);
    write_checkpoint(file, checkpoint);
}

}  // namespace

void hodo::fuzz::read(std::string_view data) {
    try {
        read_file(data);
    } catch (const base::Error&) {
        // The same bytes may still be the rest of a legacy file.
    }
    read_file(legacy_begin + std::string(data));
}

std::vector<std::string> hodo::fuzz::seeds() {
    using std::string_literals::operator""s;
    const auto rest =
        "\x80\x02}X\x0a\0\0\0state_dict}X\x01\0\0\0w"
        "ctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storage"
        "ctorch\nFloatStorage\nX\x01\0\0\0"
        "0X\x03\0\0\0cpuK\x02tQK\0K\x02\x85K\x01\x85\x89"
        "ccollections\nOrderedDict\n)RtRssX\x10\0\0\0hyper_parameters}X\x02\0\0\0lr"
        "G\x3f\xf0\0\0\0\0\0\0ss.\x80\x02](X\x01\0\0\0"
        "0e.\x02\0\0\0\0\0\0\0\0\0\x80\x3f\0\0\0\x40"s;
    return {
        written(".pt", [](const base::Path& file) { io::write_weights(file, example()); }),
        written(".npz", [](const base::Path& file) { io::write_weights(file, example()); }),
        written(".safetensors", [](const base::Path& file) { io::write_weights(file, example()); }),
        written(".ckpt", write_training),
        rest,
        legacy_begin + rest};
}
