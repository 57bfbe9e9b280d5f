#pragma once
/// Options of training with several processes.

#include "hodo/base/fields.hh"

#include <array>
#include <string_view>

namespace hodo::train {

/// Whether to believe the variables of a starter (see base/launch.hh).
enum class RankUse { automatic, off };
constexpr auto names(RankUse) {
    return std::array<std::string_view, 2>{"auto", "off"};
}

struct RanksOptions {
    RankUse use = RankUse::automatic;
    int wait = 120;
    int silence = 300;
    void describe(base::Fields& f);
};

}  // namespace hodo::train
