#pragma once
/// Changes to the text of an SVG file.

#include <string>
#include <string_view>

namespace hodo::draw::detail {

/// The SVG with its ids renamed `<prefix>0`, `<prefix>1`, ... in order of first use. Drawing
/// libraries count ids per process; renamed, the same drawing has the same bytes, and several
/// drawings with different prefixes can stand in one page. An empty prefix means "i".
std::string with_stable_ids(std::string_view svg, std::string_view prefix);

}  // namespace hodo::draw::detail
