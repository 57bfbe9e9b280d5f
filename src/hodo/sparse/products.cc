#include "hodo/sparse/products.hh"

#include <algorithm>
#include <array>

#include "hodo/sparse/detail/memory.hh"
#include "hodo/sparse/detail/shares.hh"

namespace hodo::sparse {

namespace {

constexpr std::int64_t smallest_packing = 1 << 14;  // weights whose packing is worth a thread

std::size_t size(std::int64_t count) {
    return static_cast<std::size_t>(count);
}

/// One cell's weights as `Kernels::product` reads them.
void pack_cell(const CellMaps<float>& maps, const float* weight, float* place) {
    const auto in = maps.from(), out = maps.to(), padded = padded_columns(out);
    const bool plain = maps.form == CellMaps<float>::Form::plain;
    for (std::int64_t first = 0; first < padded; first += panel_columns) {
        const auto panel = std::min(panel_columns, padded - first);
        const auto used = std::min(panel, out - first);
        for (std::int64_t i = 0; i < in; ++i, place += panel) {
            if (plain) {
                std::copy_n(weight + i * maps.out + first, used, place);
            } else {
                const float* column = weight + first * maps.out + i;
                for (std::int64_t o = 0; o < used; ++o) place[o] = column[o * maps.out];
            }
            std::fill(place + used, place + panel, 0.0F);
        }
    }
}

/// Whether the weights stand as `Kernels::product` reads them.
bool is_packed(const CellMaps<float>& maps, bool mirrored) {
    return maps.form == CellMaps<float>::Form::plain && !mirrored && maps.out <= panel_columns &&
           maps.out == padded_columns(maps.out) && maps.cell_stride == maps.in * maps.out;
}

/// Writes all weights to `packed`, cells already in the order of the rulebook.
base::Work packing(const CellMaps<float>& maps, std::int64_t cells, bool mirrored, float* packed) {
    const auto numbers = maps.from() * padded_columns(maps.to());
    return {cells, smallest_packing / std::max<std::int64_t>(1, numbers),
            [=](std::int64_t begin, std::int64_t end) {
                for (auto cell = begin; cell < end; ++cell) {
                    const auto source = mirrored ? cells - 1 - cell : cell;
                    pack_cell(maps, maps.data + source * maps.cell_stride, packed + cell * numbers);
                }
            }};
}

/// Room for the products of one block; kept by every thread, for parts are short and many.
float* scratch_of_thread() {
    static thread_local RecycledVector<float> scratch(size(product_scratch));
    return scratch.data();
}

const float* moved(const float* data, std::int64_t offset) {
    return data == nullptr ? nullptr : data + offset;
}

}  // namespace

void convolve(const Rulebook& book, Direction direction, Rows<const float> x,
              const CellMaps<float>& maps, Rows<float> y, const Epilogue& epilogue,
              const AfterBlock& after, const Meanwhile& meanwhile) {
    const auto& blocks = book.blocks(direction);
    const bool mirrored = book.is_mirrored() && direction == Direction::back;
    const float* weight = maps.data;
    RecycledVector<float> packed;
    if (is_packed(maps, mirrored)) {
        base::parallel_for(meanwhile.packing);
    } else {
        packed.resize(size(book.cells() * maps.from() * padded_columns(maps.to())));
        weight = packed.data();
        base::parallel_for(
            std::array{meanwhile.packing, packing(maps, book.cells(), mirrored, packed.data())});
    }
    const auto pairs = static_cast<std::int64_t>(blocks.others.size());
    const auto grain = grain_of(blocks.count(), pairs, maps.in * maps.out);
    const auto products = [&](std::int64_t begin, std::int64_t end) {
        float* const scratch = scratch_of_thread();
        for (auto block = begin; block < end; ++block) {
            const auto row = block * block_rows;
            Epilogue ending = epilogue;
            ending.residual = moved(epilogue.residual, row * epilogue.residual_stride);
            if (ending.plain != nullptr) ending.plain += row * epilogue.plain_stride;
            const auto rows = std::min(block_rows, blocks.rows - row);
            call_rows(ending.residual, epilogue.residual_stride, rows, maps.to());
            call_rows(moved(after.reads.data, row * after.reads.stride), after.reads.stride, rows,
                      maps.to());
            kernels().product({view(blocks, block), x.data, x.stride, maps.from(), weight,
                               maps.to(), y.data + row * y.stride, y.stride, ending},
                              scratch);
            if (after.run) after.run(row, row + rows);
        }
    };
    base::parallel_for(std::array{meanwhile.products, base::Work{blocks.count(), grain, products}});
}

void convolve(const Rulebook& book, Direction direction, Rows<const double> x,
              const CellMaps<double>& maps, Rows<double> y) {
    naive::convolve(book, direction, x, maps, y);
}

void depthwise(const Rulebook& book, Direction direction, const float* x, const float* weight,
               std::int64_t channels, float* y) {
    const auto& neighbours = book.neighbours(direction);
    const bool mirrored = book.is_mirrored() && direction == Direction::back;
    const auto pairs = static_cast<std::int64_t>(neighbours.entries.size());
    const auto grain = grain_of(neighbours.rows(), pairs, 8 * channels);
    base::parallel_for(neighbours.rows(), grain, [&](std::int64_t begin, std::int64_t end) {
        kernels().depthwise({neighbours.starts.data() + begin, neighbours.entries.data(),
                             end - begin, channels, x, weight, mirrored ? book.cells() - 1 : -1,
                             y + begin * channels});
    });
}

void depthwise(const Rulebook& book, Direction direction, const double* x, const double* weight,
               std::int64_t channels, double* y) {
    naive::depthwise(book, direction, x, weight, channels, y);
}

}  // namespace hodo::sparse
