#pragma once
/// Files of src/hodo/draw/assets, compiled in (cmake/HodoscopeAssets.cmake).

#include <string_view>

namespace hodo::draw::detail {

/// The content of the asset called `name`; a `Defect` when there is none.
std::string_view asset(std::string_view name);

}  // namespace hodo::draw::detail
