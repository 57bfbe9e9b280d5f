#pragma once
/// What this build is.

#include <string_view>

namespace hodo::base {

std::string_view version();  ///< "0.1.0"
std::string_view commit();   ///< Abbreviated commit, or "unknown"
std::string_view build();    ///< "Release, g++ 12.2.0"

}  // namespace hodo::base
