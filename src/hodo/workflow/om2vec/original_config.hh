#pragma once
/// Configuration files of the published om2vec code (configs/example.cfg), used as they are.

#include "hodo/base/config.hh"

#include <optional>
#include <string_view>

namespace hodo::om2vec {

/// The section of `verb` ("train" or "evaluate") that means the same as the original's `file`;
/// nothing if the file is not one (it has none of the groups model_options, data_options,
/// training_options) or the verb is another. Unknown keys are errors with the nearest known key.
///
/// Keys without meaning here are accepted: file_chunk_size (true row counts are read), num_devices
/// and accelerator (`--device` decides), save_epochs (every epoch is saved).
std::optional<base::Config> translate_original(const base::Config& file, std::string_view verb);

}  // namespace hodo::om2vec
