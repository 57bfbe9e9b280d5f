#pragma once
/// SHA-256 (FIPS 180-4), for the hashes a page's Content-Security-Policy names.

#include <array>
#include <string_view>

namespace hodo::draw::detail {

std::array<unsigned char, 32> sha256(std::string_view text);

}  // namespace hodo::draw::detail
