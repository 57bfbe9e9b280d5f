#pragma once
/// How array jobs name their shards and divide their input.
///
/// A shard is written `i/n` with i from 0 to n - 1. Every task finds its part from the inputs
/// alone, so tasks need not talk to each other and any machine finds the same cuts. (`parse_shard`
/// stands in workflow.hh.)

#include "hodo/workflow/workflow.hh"

#include <functional>
#include <limits>
#include <string>
#include <vector>

namespace hodo::workflow {

/// "2/7"
std::string text_of(const Shard& shard);

/// Something that can be divided: `units` equal units (events of a file), `bytes` in all.
struct Extent {
    std::int64_t units = 0, bytes = 0;
};

/// Units [begin, end) of extent `item`.
struct Range {
    static constexpr auto to_end = std::numeric_limits<std::int64_t>::max();
    std::int64_t item = 0, begin = 0, end = 0;
    bool operator==(const Range&) const = default;
};

/// What a shard takes of `extents`: the shards' ranges are consecutive, cover every unit once and
/// differ in bytes by little more than two units. Shards beyond the number of units are empty.
std::vector<Range> share_of(const std::vector<Extent>& extents, const Shard& shard);

/// The same where counting units is work, as when a file must be opened for it: `units` is asked
/// only of the (at most two) items that a cut goes through. The others are taken to their end,
/// `Range::to_end`, and may turn out empty.
std::vector<Range> share_of(const std::vector<std::int64_t>& bytes,
                            const std::function<std::int64_t(std::int64_t item)>& units,
                            const Shard& shard);

/// The files of a shard where files are not cut: runs of them, of about equal bytes.
std::vector<base::Path> files_of_shard(const std::vector<base::Path>& files, const Shard& shard);

}  // namespace hodo::workflow
