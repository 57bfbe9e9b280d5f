#pragma once
/// A headless browser for tests, and the pictures it takes.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hodo/base/text.hh"

namespace hodo::test {

/// Path of the Chromium executable, or nothing.
std::optional<std::string> browser();

struct Picture {
    int width = 0, height = 0;
    std::vector<std::uint8_t> rgb;  ///< Row by row from the top.
};

/// What the page looks like once its scripts have run.
Picture screenshot(const base::Path& page, int width, int height);

/// The page's elements once its scripts have run.
std::string page_after_scripts(const base::Path& page);

/// Decodes an 8-bit RGB or RGBA PNG without interlacing.
Picture decode_png(const std::string& bytes);

}  // namespace hodo::test
