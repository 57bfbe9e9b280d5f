#pragma once
/// The names of the published code's files.
///
/// "<type><sep><index><sep><product>" somewhere in the name, as in
/// "batch0-reco_BeamCosmic_001_xy-TPC1.npz": type BeamCosmic, index 1, product xy, TPC 1, batch 0.
/// Joined TPCs are written in a row: TPC159.

#include "hodo/base/text.hh"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hodo::lartpc {

struct FileName {
    std::string text;  ///< The whole name, without folders.
    std::string type;
    std::int64_t index = 0;
    std::string product;
    std::optional<std::int64_t> tpc, batch, epoch;

    /// The name of another product of the same events.
    std::string with_product(std::string_view other) const;
    /// The name of joined TPCs: the TPC's digits replaced.
    std::string with_tpcs(std::string_view digits) const;

    std::size_t product_at = 0, tpc_at = 0, tpc_length = 0;  ///< Where they stand in `text`.
};

/// The parts of a name; nothing when it does not hold exactly one of each.
std::optional<FileName> parse_file_name(std::string_view name);

/// The parsed file that an xy file was prepared from: "reco_BeamCosmic_001_wire-TPC1.npz" for
/// "kept-batch0-reco_BeamCosmic_001_xy-TPC1.npz" and product "wire".
std::string parsed_name(const FileName& xy, std::string_view product);
/// The same for a product of the whole detector: "reco_BeamCosmic_001_mcparticle.npz".
std::string parsed_name_of_all(const FileName& xy, std::string_view product);

/// Files of `inputs` (files, folders, or patterns) with the product, sorted by path.
std::vector<base::Path> files_of_product(const std::vector<std::string>& inputs,
                                         std::string_view product);

/// The same of some TPCs; empty: of all. An error when none is left, or when two in different
/// folders have one name, so that what is made of them would have too.
std::vector<base::Path> files_of_tpcs(const std::vector<std::string>& inputs,
                                      std::string_view product,
                                      const std::vector<std::int64_t>& tpcs);

}  // namespace hodo::lartpc
