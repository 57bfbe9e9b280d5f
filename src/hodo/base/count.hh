#pragma once
/// Numbers of things in messages.

#include <cstdint>
#include <string>
#include <string_view>

namespace hodo::base {

/// "1 file", "0 files", "12,345 files" for the plural "files", which must end in s.
std::string counted(std::int64_t count, std::string_view plural);

}  // namespace hodo::base
