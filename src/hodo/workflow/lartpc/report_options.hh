#pragma once
/// Options of the verb `report`.

#include "hodo/base/fields.hh"
#include "hodo/detector/lartpc/detector_table.hh"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hodo::lartpc {

/// What a network's outputs are: scores between ghost (0) and true (1), or charges.
enum class Quantity { automatic, score, charge };
constexpr auto names(Quantity) {
    return std::array<std::string_view, 3>{"automatic", "score", "charge"};
}

struct ReportOptions {
    std::string run, output, parsed;
    std::string detector{built_in_detector};
    std::vector<std::string> inference, truth, ghosts;
    std::int64_t epoch = -1;
    Quantity quantity = Quantity::automatic;
    double threshold = 0.35;
    double truth_threshold = 0;
    double scale = 0;
    std::vector<std::int64_t> merge{2, 2, 2};
    std::vector<std::int64_t> downsample{8, 4, 4};
    std::int64_t displays = 2;
    std::string tag;

    void describe(base::Fields& f);
};

}  // namespace hodo::lartpc
