#include "hodo/base/count.hh"

#include "hodo/base/error.hh"
#include "hodo/base/text.hh"

namespace hodo::base {

std::string counted(std::int64_t count, std::string_view plural) {
    HODO_DOOR(plural.ends_with('s'));
    if (count == 1) plural.remove_suffix(1);
    return with_thousands(count) + " " + std::string(plural);
}

}  // namespace hodo::base
