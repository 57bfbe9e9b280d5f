#pragma once
/// What stands behind a `WeightFile`, and the readers of the single formats.

#include "hodo/io/weights.hh"
#include "hodo/io/zip.hh"

#include <functional>
#include <map>

namespace hodo::io {

struct WeightBody {
    std::string_view format;
    base::Path path;
    std::vector<WeightFile::Entry> entries;
    std::vector<std::function<Array()>> loaders;  ///< one for each entry
    std::map<std::string, std::size_t, std::less<>> index;
    Json metadata = Json::object();
    std::vector<std::function<OptimizerState()>> optimizers;

    /// Appends an entry; a second one of the same name is an error.
    void add(WeightFile::Entry entry, std::function<Array()> loader);
};

/// The readers of the formats; `origin` stands in messages.
WeightBody read_pytorch(const ZipReader& archive, WeightChoice choice);
WeightBody read_pytorch_legacy(const Blob& content, std::string_view origin, WeightChoice choice);
WeightBody read_safetensors(const Blob& content, std::string_view origin);
WeightBody read_npz_weights(const ZipReader& archive);

}  // namespace hodo::io
