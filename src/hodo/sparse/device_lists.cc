#include "hodo/sparse/device_lists.hh"

#include <algorithm>

namespace hodo::sparse {

static_assert(block_rows <= cuda::largest_block);
static_assert(sizeof(Segment) == sizeof(cuda::Segment) && sizeof(Pair) == sizeof(cuda::Pair));

namespace {

/// The bytes of a vector on a device.
template <class T, class Allocator>
at::Tensor copied(const std::vector<T, Allocator>& values, at::Device device) {
    const auto size = static_cast<std::int64_t>(values.size() * sizeof(T));
    const auto bytes = at::TensorOptions().dtype(at::kByte);
    auto copy = at::empty({size}, bytes.device(device));
    // LibTorch takes no pointer to constant numbers; these are only read.
    if (size > 0) copy.copy_(at::from_blob(const_cast<T*>(values.data()), {size}, bytes));
    return copy;
}

template <class T>
const T* data(const at::Tensor& bytes) {
    return static_cast<const T*>(bytes.data_ptr());
}

}  // namespace

Neighbours lists_by_cell(const Neighbours& lists, std::int64_t cells) {
    Neighbours turned;
    turned.starts.assign(static_cast<std::size_t>(cells) + 1, 0);
    for (const auto& entry : lists.entries) {
        ++turned.starts[static_cast<std::size_t>(entry.cell) + 1];
    }
    for (std::size_t cell = 1; cell < turned.starts.size(); ++cell) {
        turned.starts[cell] += turned.starts[cell - 1];
    }
    auto places = turned.starts;
    turned.entries.resize(lists.entries.size());
    for (std::int64_t row = 0; row < lists.rows(); ++row) {
        for (const auto& entry : lists.of(row)) {
            const auto place = places[static_cast<std::size_t>(entry.cell)]++;
            turned.entries[static_cast<std::size_t>(place)] = {entry.row,
                                                               static_cast<std::int32_t>(row)};
        }
    }
    return turned;
}

cuda::Lists CopiedLists::view() const {
    return {starts.numel() / static_cast<std::int64_t>(sizeof(std::int64_t)) - 1,
            data<std::int64_t>(starts), data<cuda::Pair>(pairs)};
}

CopiedLists copy_lists(const Neighbours& lists, at::Device device) {
    return {copied(lists.starts, device), copied(lists.entries, device)};
}

DevicePairs::DevicePairs(const Rulebook& book, Direction direction, at::Device device)
    : book_(book), direction_(direction), device_(device) {}

cuda::BlockPairs DevicePairs::by_block() const {
    std::call_once(blocks_made_, [&] {
        const auto blocks = make_blocks(book_.neighbours(direction_), book_.cells());
        blocks_ = {copied(blocks.segments, device_), copied(blocks.segment_starts, device_),
                   copied(blocks.pair_starts, device_), copied(blocks.others, device_),
                   copied(blocks.own, device_)};
    });
    return {book_.neighbours(direction_).rows(),     block_rows,
            data<cuda::Segment>(blocks_.segments),   data<std::int64_t>(blocks_.segment_starts),
            data<std::int64_t>(blocks_.pair_starts), data<std::int32_t>(blocks_.others),
            data<std::uint8_t>(blocks_.own)};
}

cuda::Lists DevicePairs::by_row() const {
    std::call_once(rows_made_, [&] { rows_ = copy_lists(book_.neighbours(direction_), device_); });
    return rows_.view();
}

cuda::Lists DevicePairs::by_cell() const {
    std::call_once(cells_made_, [&] {
        cells_ = copy_lists(lists_by_cell(book_.neighbours(direction_), book_.cells()), device_);
    });
    return cells_.view();
}

std::int64_t DevicePairs::pairs() const {
    return static_cast<std::int64_t>(book_.neighbours(direction_).entries.size());
}

const DevicePairs& DevicePairs::of(const Rulebook& book, Direction direction, at::Device device) {
    return book.on_device<DevicePairs>(
        direction, [&] { return std::make_shared<const DevicePairs>(book, direction, device); });
}

}  // namespace hodo::sparse
