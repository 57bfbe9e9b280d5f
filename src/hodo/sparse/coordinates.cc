#include "hodo/sparse/coordinates.hh"

#include <algorithm>
#include <bit>
#include <limits>
#include <numeric>
#include <utility>

#include "hodo/base/error.hh"
#include "hodo/base/threads.hh"
#include "hodo/sparse/detail/memory.hh"

namespace hodo::sparse {

namespace {

constexpr int digit_bits = 11;
constexpr std::size_t digit_count = std::size_t{1} << digit_bits;
constexpr std::size_t padding = 4;            // numbers behind the last depth
constexpr std::int64_t rows_per_part = 8192;  // that are worth a thread's while

/// A voxel as one number whose order is that of voxels.
struct KeyedRow {
    std::uint64_t key;
    std::uint32_t row;
};

/// Runs `body(begin, end)` over parts of so many rows.
template <class Body>
void for_rows(std::size_t count, const Body& body) {
    base::parallel_for(static_cast<std::int64_t>(count), rows_per_part,
                       [&](std::int64_t begin, std::int64_t end) {
                           body(static_cast<std::size_t>(begin), static_cast<std::size_t>(end));
                       });
}

/// Parts that so many rows fall into where what a part yields is put behind what those before it
/// do.
std::int64_t parts_of(std::size_t rows) {
    return std::clamp<std::int64_t>(static_cast<std::int64_t>(rows) / rows_per_part, 1,
                                    base::threads() > 1 ? 8 : 1);
}

/// Runs `body(part, begin, end)` over these parts.
template <class Body>
void for_parts(std::size_t rows, std::int64_t parts, const Body& body) {
    const auto border = [&](std::int64_t part) {
        return static_cast<std::size_t>(static_cast<std::int64_t>(rows) * part / parts);
    };
    base::parallel_for(parts, 1, [&](std::int64_t begin, std::int64_t end) {
        for (auto part = begin; part < end; ++part) {
            body(static_cast<std::size_t>(part), border(part), border(part + 1));
        }
    });
}

/// The smallest and the largest value of each field.
struct Bounds {
    static constexpr auto most = std::numeric_limits<std::int32_t>::max();
    static constexpr auto least = std::numeric_limits<std::int32_t>::min();
    Voxel low{most, most, most, most}, high{least, least, least, least};

    void include(const Voxel& a, const Voxel& b) {
        low = {std::min(low.batch, a.batch), std::min(low.x, a.x), std::min(low.y, a.y),
               std::min(low.z, a.z)};
        high = {std::max(high.batch, b.batch), std::max(high.x, b.x), std::max(high.y, b.y),
                std::max(high.z, b.z)};
    }
};

Bounds bounds_of(std::span<const Voxel> rows) {
    const auto parts = parts_of(rows.size());
    std::vector<Bounds> bounds(static_cast<std::size_t>(parts));
    for_parts(rows.size(), parts, [&](std::size_t part, std::size_t begin, std::size_t end) {
        Bounds own;
        for (const auto& voxel : rows.subspan(begin, end - begin)) own.include(voxel, voxel);
        bounds[part] = own;
    });
    for (const auto& part : bounds) bounds.front().include(part.low, part.high);
    return bounds.front();
}

/// How voxels are packed into keys: the widths of the four fields, relative to the smallest values.
struct Packing {
    std::array<std::int64_t, 4> low{};
    std::array<int, 4> bits{};
    int total = 0;

    explicit Packing(const Bounds& bounds)
        : low{bounds.low.batch, bounds.low.x, bounds.low.y, bounds.low.z} {
        const std::array<std::int64_t, 4> high{bounds.high.batch, bounds.high.x, bounds.high.y,
                                               bounds.high.z};
        for (std::size_t a = 0; a < 4; ++a) {
            bits[a] =
                static_cast<int>(std::bit_width(static_cast<std::uint64_t>(high[a] - low[a])));
            total += bits[a];
        }
    }

    std::uint64_t key(const Voxel& v) const {
        const auto field = [&](std::int64_t value, std::size_t axis) {
            return static_cast<std::uint64_t>(value - low[axis]);
        };
        std::uint64_t key = field(v.batch, 0);
        key = key << bits[1] | field(v.x, 1);
        key = key << bits[2] | field(v.y, 2);
        return key << bits[3] | field(v.z, 3);
    }
};

/// Stable order by key, digit by digit from the lowest. Parts of the rows are counted and moved at
/// once; each part's place among rows of one digit follows from the counts of the parts before it.
void radix_sort(RecycledVector<KeyedRow>& rows, int bits) {
    RecycledVector<KeyedRow> other(rows.size());
    const auto parts = parts_of(rows.size());
    std::vector<std::vector<std::size_t>> places(static_cast<std::size_t>(parts),
                                                 std::vector<std::size_t>(digit_count));
    for (int shift = 0; shift < bits; shift += digit_bits) {
        const auto digit = [&](const KeyedRow& row) {
            return static_cast<std::size_t>(row.key >> shift) & (digit_count - 1);
        };
        for_parts(rows.size(), parts, [&](std::size_t part, std::size_t begin, std::size_t end) {
            auto& counts = places[part];
            std::fill(counts.begin(), counts.end(), 0);
            for (auto i = begin; i < end; ++i) ++counts[digit(rows[i])];
        });
        std::size_t sum = 0;
        for (std::size_t d = 0; d < digit_count; ++d) {
            for (auto& counts : places) sum += std::exchange(counts[d], sum);
        }
        for_parts(rows.size(), parts, [&](std::size_t part, std::size_t begin, std::size_t end) {
            auto& starts = places[part];
            for (auto i = begin; i < end; ++i) other[starts[digit(rows[i])]++] = rows[i];
        });
        rows.swap(other);
    }
}

/// Row numbers in the order of their voxels, which lie within `bounds`; rows of one voxel keep
/// their order.
std::vector<std::int32_t> sorted_order(std::span<const Voxel> rows, const Bounds& bounds) {
    std::vector<std::int32_t> order(rows.size());
    std::iota(order.begin(), order.end(), 0);
    if (std::is_sorted(rows.begin(), rows.end())) return order;
    const Packing packing(bounds);
    if (packing.total > 64) {
        std::stable_sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) {
            return rows[static_cast<std::size_t>(a)] < rows[static_cast<std::size_t>(b)];
        });
        return order;
    }
    RecycledVector<KeyedRow> keyed(rows.size());
    for_rows(rows.size(), [&](std::size_t begin, std::size_t end) {
        for (auto i = begin; i < end; ++i) {
            keyed[i] = {packing.key(rows[i]), static_cast<std::uint32_t>(i)};
        }
    });
    radix_sort(keyed, packing.total);
    for_rows(rows.size(), [&](std::size_t begin, std::size_t end) {
        for (auto i = begin; i < end; ++i) order[i] = static_cast<std::int32_t>(keyed[i].row);
    });
    return order;
}

bool on_one_line(const Voxel& a, const Voxel& b) {
    return a.y == b.y && a.x == b.x && a.batch == b.batch;
}

std::int32_t floor_multiple(std::int32_t value, std::int64_t step) {
    std::int64_t floored = value & -step;  // of a power of two
    if ((step & (step - 1)) != 0) {
        const std::int64_t cell = value / step;
        floored = (cell * step > value ? cell - 1 : cell) * step;
    }
    HODO_CHECK(
        floored >= std::numeric_limits<std::int32_t>::min(),
        "coordinate {} has no multiple of {} below it among 32-bit integers; move the voxels "
        "towards zero",
        value, step);
    return static_cast<std::int32_t>(floored);
}

/// From the order in `grouping.rows` the distinct voxels and the rest of the grouping. Parts first
/// count their voxels; each part's place follows from the counts of the parts before it.
std::vector<Voxel> unite(std::span<const Voxel> rows, Grouping& grouping) {
    const auto& order = grouping.rows;
    const auto voxel = [&](std::size_t i) { return rows[static_cast<std::size_t>(order[i])]; };
    const auto parts = parts_of(rows.size());
    std::vector<std::size_t> places(static_cast<std::size_t>(parts) + 1, 0);
    for_parts(rows.size(), parts, [&](std::size_t part, std::size_t begin, std::size_t end) {
        std::size_t count = 0;
        for (auto i = begin; i < end; ++i) count += i == 0 || voxel(i - 1) != voxel(i) ? 1 : 0;
        places[part + 1] = count;
    });
    std::partial_sum(places.begin(), places.end(), places.begin());
    std::vector<Voxel> distinct(places.back());
    grouping.starts.resize(places.back() + 1);
    grouping.voxel_of_row.resize(rows.size());
    for_parts(rows.size(), parts, [&](std::size_t part, std::size_t begin, std::size_t end) {
        auto place = places[part];
        for (auto i = begin; i < end; ++i) {
            if (i == 0 || voxel(i - 1) != voxel(i)) {
                distinct[place] = voxel(i);
                grouping.starts[place++] = static_cast<std::int64_t>(i);
            }
            grouping.voxel_of_row[static_cast<std::size_t>(order[i])] =
                static_cast<std::int32_t>(place) - 1;
        }
    });
    grouping.starts.back() = static_cast<std::int64_t>(rows.size());
    return distinct;
}

}  // namespace

Coordinates::Coordinates(std::vector<Voxel> sorted, Triple stride, std::int64_t events)
    : voxels_(std::move(sorted)), stride_(stride), events_(events) {
    depths_.resize(voxels_.size() + padding);
    const auto parts = parts_of(voxels_.size());
    std::vector<std::vector<Line>> lines(static_cast<std::size_t>(parts));
    for_parts(voxels_.size(), parts, [&](std::size_t part, std::size_t begin, std::size_t end) {
        for (auto i = begin; i < end; ++i) {
            const auto& v = voxels_[i];
            HODO_EXPECT(i == 0 || voxels_[i - 1] < v);
            depths_[i] = v.z;
            if (i == 0 || !on_one_line(voxels_[i - 1], v)) {
                lines[part].push_back({v.batch, v.x, v.y, static_cast<std::int32_t>(i)});
            }
        }
    });
    for (const auto& some : lines) lines_.insert(lines_.end(), some.begin(), some.end());
    lines_.push_back({std::numeric_limits<std::int32_t>::max(), 0, 0,
                      static_cast<std::int32_t>(voxels_.size())});
    event_starts_.assign(static_cast<std::size_t>(events) + 1, 0);
    for (std::size_t i = 0; i + 1 < lines_.size(); ++i) {
        event_starts_[static_cast<std::size_t>(lines_[i].batch) + 1] +=
            lines_[i + 1].start - lines_[i].start;
    }
    std::partial_sum(event_starts_.begin(), event_starts_.end(), event_starts_.begin());
}

std::int64_t Coordinates::find(const Voxel& voxel) const {
    const auto found = std::lower_bound(voxels_.begin(), voxels_.end(), voxel);
    return found == voxels_.end() || *found != voxel ? -1 : found - voxels_.begin();
}

Grouping group_rows(std::span<const Voxel> rows, Triple stride,
                    std::optional<std::int64_t> events) {
    HODO_CHECK(rows.size() < std::numeric_limits<std::int32_t>::max(),
               "{} voxels are too many for one batch; use smaller batches", rows.size());
    const auto bounds = bounds_of(rows);
    const std::int64_t largest = rows.empty() ? -1 : bounds.high.batch;
    HODO_CHECK(bounds.low.batch >= 0,
               "a voxel has event number {} (events count from 0); check the "
               "column that holds the event",
               bounds.low.batch);
    HODO_CHECK(!events || *events > largest,
               "a voxel has event number {} but the batch has {} "
               "events; check the column that holds the event",
               largest, events.value_or(0));
    Grouping grouping;
    grouping.rows = sorted_order(rows, bounds);
    auto distinct = unite(rows, grouping);
    grouping.voxels = std::make_shared<const Coordinates>(std::move(distinct), stride,
                                                          events.value_or(largest + 1));
    return grouping;
}

std::vector<Voxel> sorted_distinct(std::vector<Voxel> rows) {
    const auto order = sorted_order(rows, bounds_of(rows));
    std::vector<Voxel> distinct;
    for (const auto row : order) {
        const auto& voxel = rows[static_cast<std::size_t>(row)];
        if (distinct.empty() || distinct.back() != voxel) distinct.push_back(voxel);
    }
    return distinct;
}

Voxel floor_to(const Voxel& v, const Triple& stride) {
    return {v.batch, floor_multiple(v.x, stride[0]), floor_multiple(v.y, stride[1]),
            floor_multiple(v.z, stride[2])};
}

}  // namespace hodo::sparse
