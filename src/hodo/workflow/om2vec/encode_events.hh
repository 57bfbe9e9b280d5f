#pragma once
/// From event files to latents beside them, whatever the encoder.

#include "hodo/detector/optical/events.hh"
#include "hodo/detector/optical/schema.hh"
#include "hodo/io/table.hh"
#include "hodo/workflow/om2vec/options.hh"
#include "hodo/workflow/workflow.hh"

#include <functional>
#include <string>
#include <vector>

namespace hodo::om2vec {

/// The modules of a block of events, ascending by event, then (string, sensor).
struct EncodedModules {
    std::vector<std::int64_t> event;  ///< Index in the block.
    std::vector<optical::ModuleId> id;
    std::vector<float> values;  ///< [modules, width]
};

struct EventEncoder {
    std::string label;       ///< Of the progress line: "om2vec apply".
    std::int64_t width = 0;  ///< Numbers per module.
    io::KeyValues metadata;  ///< Into every output file.
    std::function<EncodedModules(const optical::Events&)> encode;
};

/// Reads events block by block, encodes the modules of those that take part, and writes them.
/// Memory is bounded by a block and one output file.
void encode_events(const std::vector<std::string>& inputs, const optical::ReadOptions& read,
                   const LatentOutput& output, const EventEncoder& encoder,
                   const workflow::Job& job);

}  // namespace hodo::om2vec
