#pragma once
/// Reading latents back, in each form that LatentWriter writes.

#include "hodo/base/text.hh"
#include "hodo/detector/optical/events.hh"
#include "hodo/io/table.hh"

#include <optional>
#include <vector>

namespace hodo::om2vec {

/// The latents of one file, module by module, ascending by event.
struct Latents {
    std::vector<std::int64_t> event;  ///< Row of the event in its file.
    std::vector<optical::ModuleId> id;
    std::int64_t width = 0;
    std::vector<float> values;   ///< [modules, width]
    bool beside_events = false;  ///< The file also holds the events (column `photons`).
    io::KeyValues metadata;      ///< Empty for .npz.

    std::int64_t size() const { return static_cast<std::int64_t>(id.size()); }
    std::optional<std::string> note(std::string_view key) const;
};

/// Reads a file of latents beside events, of latents only, or an .npz. Errors name file, event and
/// module; a latent that is not a finite number is one.
Latents read_latents(const base::Path& file);

/// The latent files an input means: a file, the *.parquet of a folder, or a pattern.
std::vector<base::Path> latent_files(const std::vector<std::string>& inputs);

}  // namespace hodo::om2vec
