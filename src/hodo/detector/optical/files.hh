#pragma once
/// Which files a user means by a folder, a pattern or a name.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hodo/base/text.hh"

namespace hodo::optical {

/// The event files an input names, in natural order of their names ("2" before "10"): a file
/// itself, the `*.parquet`, `*.db` and `*.sqlite` files of a folder (or of its subfolder `total` or
/// `photons`, as GraphNeT lays them out), or the files that match a pattern in the last part of the
/// path (`*`, `?`, `[...]`). Fails when there is none, and for folders that are still being
/// written.
std::vector<base::Path> event_files(const std::string& input);
/// The same for several inputs, one after the other; a file named twice is read once.
std::vector<base::Path> event_files(std::span<const std::string> inputs);

/// The number made of the last run of digits in a file name ("run2_chunk_17.parquet": 17).
std::optional<std::int64_t> last_number(std::string_view file_name);
/// The `*.parquet` files of `directory` whose last number lies in [first, last], both included,
/// in order of that number. Fails when there is none.
std::vector<base::Path> select_files(const base::Path& directory, std::int64_t first,
                                     std::int64_t last);

}  // namespace hodo::optical
