#pragma once
/// The photons of one event, module by module.
///
/// A module is told apart by (string, sensor) and position, as doubles: the same numbers at two
/// positions are two modules. Linear in photons; no allocation per photon or per event once the
/// buffers have grown. Not thread safe: every thread has its own.

#include <cstdint>
#include <span>
#include <vector>

#include "hodo/detector/optical/events.hh"

namespace hodo::optical {

enum class ModuleOrder { first_appearance, ascending };
constexpr auto names(ModuleOrder) {
    return std::array<std::string_view, 2>{"first-appearance", "ascending"};
}

class PhotonGrouper {
  public:
    /// A module and the range of its photons in `photons()`.
    struct Module {
        ModuleId id;
        Point position;
        std::int64_t begin = 0, end = 0;
        std::int64_t size() const { return end - begin; }
    };

    /// Groups event `event`; what was grouped before is forgotten. `ascending` orders by
    /// (string, sensor), equal ones by first appearance.
    void group(const Events& events, std::int64_t event, ModuleOrder order);

    /// The modules hit, in the order asked for.
    std::span<const Module> modules() const { return modules_; }
    /// Photon numbers (indices into the event columns), module by module, file order within.
    std::span<const std::int64_t> photons() const { return photons_; }
    /// Photon numbers of one module.
    std::span<const std::int64_t> photons(const Module& module) const {
        return std::span(photons_).subspan(static_cast<std::size_t>(module.begin),
                                           static_cast<std::size_t>(module.size()));
    }

  private:
    struct Slot {
        std::uint32_t event = 0;  ///< Which call of `group` filled the slot.
        std::int32_t module = 0;
    };
    std::int32_t find_or_add(ModuleId id, const Point& position);
    void grow();
    void assign(const Events& events, std::int64_t begin, std::int64_t end);
    void sort_modules(ModuleOrder order);
    void place(std::int64_t first_photon);

    std::vector<Module> modules_;
    std::vector<std::int64_t> photons_;
    std::vector<std::int32_t> module_of_;  ///< Per photon of the event: module as it appeared.
    std::vector<std::int64_t> cursor_;     ///< Per module as it appeared: next place to fill.
    std::vector<std::int32_t> sorted_;     ///< Modules as they appeared, in the order asked for.
    std::vector<Module> reordered_;
    std::vector<Slot> slots_ = std::vector<Slot>(256);
    std::uint32_t generation_ = 0;
};

}  // namespace hodo::optical
