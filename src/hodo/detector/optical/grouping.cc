#include "hodo/detector/optical/grouping.hh"

#include <algorithm>
#include <numeric>

#include "hodo/base/error.hh"

namespace hodo::optical {

namespace {

std::uint64_t mixed(std::uint64_t h) {
    h *= 0x9E3779B97F4A7C15ULL;
    return h ^ (h >> 32);
}

/// Positions enter the comparison but not the hash: two modules of the same numbers are rare.
std::uint64_t hash_of(ModuleId id) {
    return mixed(mixed(static_cast<std::uint64_t>(id.string)) ^
                 static_cast<std::uint64_t>(id.sensor));
}

bool same(const PhotonGrouper::Module& module, ModuleId id, const Point& position) {
    return module.id == id && module.position == position;
}

}  // namespace

void PhotonGrouper::grow() {
    std::vector<Slot> larger(slots_.size() * 2);
    const std::size_t mask = larger.size() - 1;
    for (std::size_t m = 0; m < modules_.size(); ++m) {
        std::size_t place = hash_of(modules_[m].id) & mask;
        while (larger[place].event == generation_) place = (place + 1) & mask;
        larger[place] = {generation_, static_cast<std::int32_t>(m)};
    }
    slots_ = std::move(larger);
}

std::int32_t PhotonGrouper::find_or_add(ModuleId id, const Point& position) {
    if (2 * (modules_.size() + 1) > slots_.size()) grow();
    const std::size_t mask = slots_.size() - 1;
    std::size_t place = hash_of(id) & mask;
    while (slots_[place].event == generation_) {
        const std::int32_t module = slots_[place].module;
        if (same(modules_[static_cast<std::size_t>(module)], id, position)) return module;
        place = (place + 1) & mask;
    }
    const auto added = static_cast<std::int32_t>(modules_.size());
    slots_[place] = {generation_, added};
    modules_.push_back({id, position, 0, 0});
    return added;
}

void PhotonGrouper::assign(const Events& events, std::int64_t begin, std::int64_t end) {
    module_of_.resize(static_cast<std::size_t>(end - begin));
    std::int32_t last = -1;
    for (std::int64_t photon = begin; photon < end; ++photon) {
        const auto i = static_cast<std::size_t>(photon);
        const ModuleId id{events.string[i], events.sensor[i]};
        const Point position{events.x[i], events.y[i], events.z[i]};
        if (last < 0 || !same(modules_[static_cast<std::size_t>(last)], id, position)) {
            last = find_or_add(id, position);
        }
        module_of_[static_cast<std::size_t>(photon - begin)] = last;
        ++modules_[static_cast<std::size_t>(last)].end;  // a count until photons are placed
    }
}

void PhotonGrouper::sort_modules(ModuleOrder order) {
    sorted_.resize(modules_.size());
    std::iota(sorted_.begin(), sorted_.end(), 0);
    if (order == ModuleOrder::ascending) {
        std::stable_sort(sorted_.begin(), sorted_.end(), [this](std::int32_t a, std::int32_t b) {
            return modules_[static_cast<std::size_t>(a)].id <
                   modules_[static_cast<std::size_t>(b)].id;
        });
    }
}

void PhotonGrouper::place(std::int64_t first_photon) {
    cursor_.resize(modules_.size());
    reordered_.clear();
    std::int64_t at = 0;
    for (const std::int32_t m : sorted_) {
        Module module = modules_[static_cast<std::size_t>(m)];
        const std::int64_t count = module.end;
        cursor_[static_cast<std::size_t>(m)] = at;
        module.begin = at;
        module.end = at += count;
        reordered_.push_back(module);
    }
    modules_.swap(reordered_);
    photons_.resize(module_of_.size());
    for (std::size_t i = 0; i < module_of_.size(); ++i) {
        auto& cursor = cursor_[static_cast<std::size_t>(module_of_[i])];
        photons_[static_cast<std::size_t>(cursor++)] = first_photon + static_cast<std::int64_t>(i);
    }
}

void PhotonGrouper::group(const Events& events, std::int64_t event, ModuleOrder order) {
    HODO_DOOR(event >= 0 && event < events.size());
    if (++generation_ == 0) {  // the counter went round: old slots must not look new
        std::fill(slots_.begin(), slots_.end(), Slot{});
        generation_ = 1;
    }
    modules_.clear();
    const std::int64_t begin = events.offsets[static_cast<std::size_t>(event)];
    assign(events, begin, events.offsets[static_cast<std::size_t>(event) + 1]);
    sort_modules(order);
    place(begin);
}

}  // namespace hodo::optical
