#include "hodo/workflow/shard.hh"

#include "hodo/base/error.hh"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numeric>
#include <optional>

namespace hodo::workflow {

namespace {

/// The names under which a batch system tells a task of an array its number.
struct BatchSystem {
    const char* name;
    const char* task;
    const char* first;  ///< Null: tasks are numbered from 1.
    const char* step;
    const char* last;   ///< Number of the last task, or null ...
    const char* count;  ///< ... and the number of tasks is told.
};

constexpr BatchSystem batch_systems[] = {
    {"Slurm", "SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_STEP", nullptr,
     "SLURM_ARRAY_TASK_COUNT"},
    {"Grid Engine", "SGE_TASK_ID", "SGE_TASK_FIRST", "SGE_TASK_STEPSIZE", "SGE_TASK_LAST", nullptr},
    {"LSF", "LSB_JOBINDEX", nullptr, "LSB_JOBINDEX_STEP", "LSB_JOBINDEX_END", nullptr},
};

std::optional<std::int64_t> number(const Environment& environment, const char* name) {
    const char* const text = name == nullptr ? nullptr : environment(name);
    return text == nullptr ? std::nullopt : base::parse_int(text);
}

/// The shard of this task, or nothing when it is no task of an array of this batch system.
std::optional<Shard> shard_in(const BatchSystem& system, const Environment& environment) {
    const auto task = number(environment, system.task);
    if (!task) return std::nullopt;
    const auto first = number(environment, system.first).value_or(system.first ? 0 : 1);
    const auto step = number(environment, system.step).value_or(1);
    const auto last = number(environment, system.last);
    const auto count = last ? (*last - first) / step + 1 : number(environment, system.count);
    if (!count || *task < first) return std::nullopt;
    const Shard shard{(*task - first) / step, *count};
    if ((*task - first) % step != 0 || shard.index >= shard.count) {
        base::fail_usage(
            "--shard auto: task {} of the {} array does not tell its place among {} tasks (they "
            "are not evenly numbered); write --shard i/n with i from 0",
            *task, system.name, shard.count);
    }
    return shard;
}

Shard automatic_shard(const Environment& environment) {
    for (const auto& system : batch_systems) {
        if (const auto shard = shard_in(system, environment)) return *shard;
    }
    if (number(environment, "PBS_ARRAY_INDEX")) {
        base::fail_usage(
            "--shard auto: PBS tells a task its number but not how many there are; write "
            "--shard $PBS_ARRAY_INDEX/N");
    }
    base::fail_usage(
        "--shard auto: this is no task of an array job (none of SLURM_ARRAY_TASK_ID, SGE_TASK_ID, "
        "LSB_JOBINDEX is set); write --shard i/n with i from 0");
}

/// A position in a row of extents: `unit` units into `item`.
struct Cut {
    std::int64_t item = 0, unit = 0;
};

using Units = std::function<std::int64_t(std::int64_t item)>;

/// The cut in front of shard `index` of `count`. Never at the end of an item, but at the beginning
/// of the next.
Cut cut_before(const std::vector<std::int64_t>& bytes, const Units& units, std::int64_t index,
               std::int64_t count) {
    const auto items = std::ssize(bytes);
    if (index == count) return {items, 0};
    const auto total = std::accumulate(bytes.begin(), bytes.end(), std::int64_t{0});
    std::int64_t target = total / count * index + total % count * index / count;
    for (std::int64_t item = 0; item < items; ++item) {
        const auto size = bytes[static_cast<std::size_t>(item)];
        if (target < size) {
            if (target == 0) return {item, 0};
            const double share = static_cast<double>(target) / static_cast<double>(size);
            const auto all = units(item);
            const auto unit =
                static_cast<std::int64_t>(std::floor(share * static_cast<double>(all) + 0.5));
            return unit < all ? Cut{item, unit} : Cut{item + 1, 0};
        }
        target -= size;
    }
    return {items, 0};
}

}  // namespace

Shard parse_shard(std::string_view text, const Environment& environment) {
    if (text == "auto") return automatic_shard(environment);
    const auto parts = base::split(text, '/');
    const auto index = base::parse_int(parts.front());
    const auto count = base::parse_int(parts.back());
    if (parts.size() != 2 || !index || !count || *count < 1) {
        base::fail_usage("--shard {}: write it as i/n, for example 0/4, or as auto", text);
    }
    if (*index < 0 || *index >= *count) {
        base::fail_usage("--shard {}: shards are numbered from 0, so {} shards end with {}/{}",
                         text, *count, *count - 1, *count);
    }
    return {*index, *count};
}

std::string text_of(const Shard& shard) {
    return base::format("{}/{}", shard.index, shard.count);
}

std::vector<Range> share_of(const std::vector<std::int64_t>& bytes, const Units& units,
                            const Shard& shard) {
    HODO_DOOR(shard.count >= 1 && shard.index >= 0 && shard.index < shard.count);
    const auto begin = cut_before(bytes, units, shard.index, shard.count);
    const auto end = cut_before(bytes, units, shard.index + 1, shard.count);
    std::vector<Range> ranges;
    for (auto item = begin.item; item <= end.item && item < std::ssize(bytes); ++item) {
        const Range range{item, item == begin.item ? begin.unit : 0,
                          item == end.item ? end.unit : Range::to_end};
        if (range.begin < range.end) ranges.push_back(range);
    }
    return ranges;
}

std::vector<Range> share_of(const std::vector<Extent>& extents, const Shard& shard) {
    // Where nothing has a size, units count.
    std::vector<std::int64_t> bytes;
    for (const auto& extent : extents) {
        HODO_DOOR(extent.units >= 0 && extent.bytes >= 0);
        bytes.push_back(extent.units == 0 ? 0 : std::max(extent.bytes, extent.units));
    }
    const auto units = [&](std::int64_t item) {
        return extents[static_cast<std::size_t>(item)].units;
    };
    auto ranges = share_of(bytes, units, shard);
    for (auto& range : ranges) range.end = std::min(range.end, units(range.item));
    std::erase_if(ranges, [](const Range& range) { return range.begin >= range.end; });
    return ranges;
}

std::vector<base::Path> files_of_shard(const std::vector<base::Path>& files, const Shard& shard) {
    std::vector<Extent> extents;
    for (const auto& file : files) {
        extents.push_back({1, static_cast<std::int64_t>(std::filesystem::file_size(file))});
    }
    std::vector<base::Path> share;
    for (const auto& range : share_of(extents, shard)) {
        share.push_back(files[static_cast<std::size_t>(range.item)]);
    }
    return share;
}

}  // namespace hodo::workflow
