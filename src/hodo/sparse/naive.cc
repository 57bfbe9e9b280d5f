#include <algorithm>

#include "hodo/base/threads.hh"
#include "hodo/sparse/products.hh"

namespace hodo::sparse::naive {

namespace {

/// The cell whose weights a pair uses.
std::int64_t weight_cell(const Rulebook& book, Direction direction, std::int32_t cell) {
    return book.is_mirrored() && direction == Direction::back ? book.cells() - 1 - cell : cell;
}

}  // namespace

template <class T>
void convolve(const Rulebook& book, Direction direction, Rows<const T> x, const CellMaps<T>& maps,
              Rows<T> y) {
    const auto& neighbours = book.neighbours(direction);
    const bool plain = maps.form == CellMaps<T>::Form::plain;
    base::parallel_for(neighbours.rows(), 256, [&](std::int64_t begin, std::int64_t end) {
        for (auto row = begin; row < end; ++row) {
            T* sums = y.data + row * y.stride;
            std::fill_n(sums, maps.to(), T{0});
            for (const auto& pair : neighbours.of(row)) {
                const T* weight =
                    maps.data + weight_cell(book, direction, pair.cell) * maps.cell_stride;
                for (std::int64_t i = 0; i < maps.from(); ++i) {
                    const T value = x.data[pair.row * x.stride + i];
                    for (std::int64_t o = 0; o < maps.to(); ++o) {
                        sums[o] += value * weight[plain ? i * maps.out + o : o * maps.out + i];
                    }
                }
            }
        }
    });
}

template <class T>
void weight_gradient(const Rulebook& book, Direction direction, Rows<const T> x, Rows<const T> g,
                     const CellGradients<T>& grad) {
    const auto& neighbours = book.neighbours(direction);
    for (std::int64_t cell = 0; cell < book.cells(); ++cell) {
        std::fill_n(grad.data + cell * grad.cell_stride, grad.in * grad.out, T{0});
    }
    for (std::int64_t row = 0; row < neighbours.rows(); ++row) {
        for (const auto& pair : neighbours.of(row)) {
            T* sums = grad.data + weight_cell(book, direction, pair.cell) * grad.cell_stride;
            for (std::int64_t i = 0; i < grad.in; ++i) {
                for (std::int64_t o = 0; o < grad.out; ++o) {
                    sums[i * grad.out + o] +=
                        x.data[pair.row * x.stride + i] * g.data[row * g.stride + o];
                }
            }
        }
    }
}

template <class T>
void depthwise(const Rulebook& book, Direction direction, const T* x, const T* weight,
               std::int64_t channels, T* y) {
    const auto& neighbours = book.neighbours(direction);
    std::fill_n(y, neighbours.rows() * channels, T{0});
    for (std::int64_t row = 0; row < neighbours.rows(); ++row) {
        for (const auto& pair : neighbours.of(row)) {
            const auto cell = weight_cell(book, direction, pair.cell);
            for (std::int64_t c = 0; c < channels; ++c) {
                y[row * channels + c] += x[pair.row * channels + c] * weight[cell * channels + c];
            }
        }
    }
}

template <class T>
void depthwise_weight_gradient(const Rulebook& book, const T* x, const T* g, std::int64_t channels,
                               T* grad) {
    const auto& neighbours = book.neighbours(Direction::there);
    std::fill_n(grad, book.cells() * channels, T{0});
    for (std::int64_t row = 0; row < neighbours.rows(); ++row) {
        for (const auto& pair : neighbours.of(row)) {
            for (std::int64_t c = 0; c < channels; ++c) {
                grad[pair.cell * channels + c] +=
                    x[pair.row * channels + c] * g[row * channels + c];
            }
        }
    }
}

template void convolve(const Rulebook&, Direction, Rows<const float>, const CellMaps<float>&,
                       Rows<float>);
template void convolve(const Rulebook&, Direction, Rows<const double>, const CellMaps<double>&,
                       Rows<double>);
template void weight_gradient(const Rulebook&, Direction, Rows<const float>, Rows<const float>,
                              const CellGradients<float>&);
template void weight_gradient(const Rulebook&, Direction, Rows<const double>, Rows<const double>,
                              const CellGradients<double>&);
template void depthwise(const Rulebook&, Direction, const float*, const float*, std::int64_t,
                        float*);
template void depthwise(const Rulebook&, Direction, const double*, const double*, std::int64_t,
                        double*);
template void depthwise_weight_gradient(const Rulebook&, const float*, const float*, std::int64_t,
                                        float*);
template void depthwise_weight_gradient(const Rulebook&, const double*, const double*, std::int64_t,
                                        double*);

}  // namespace hodo::sparse::naive
