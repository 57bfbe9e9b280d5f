#pragma once
/// Convolutions over raw memory: float32 through the kernels, double through readable loops.
///
/// Weights stand as [cells, in, out] with any distance between cells, so that the groups of a
/// grouped convolution are separate maps on parts of the rows. All sums have a fixed order:
/// results do not depend on threads.

#include "hodo/base/threads.hh"
#include "hodo/sparse/rulebook.hh"

#include <functional>

namespace hodo::sparse {

/// Rows of numbers with a distance between them.
template <class T>
struct Rows {
    T* data = nullptr;
    std::int64_t stride = 0;
};

/// A linear map per kernel cell. `transposed` swaps the roles of `in` and `out`: the way back.
template <class T>
struct CellMaps {
    enum class Form { plain, transposed };
    const T* data = nullptr;  ///< Element (k, i, o) at k cell_stride + i out + o.
    std::int64_t cell_stride = 0, in = 0, out = 0;
    Form form = Form::plain;

    std::int64_t from() const { return form == Form::plain ? in : out; }
    std::int64_t to() const { return form == Form::plain ? out : in; }
};

/// What else is to be done with rows [first, end) of a result while they are in the nearest cache.
struct AfterBlock {
    /// Called once for each block of rows, from several threads; may be absent.
    std::function<void(std::int64_t first, std::int64_t end)> run;
    /// Rows of the same number and width as the result's that `run` reads: they are called into the
    /// cache while the block is computed. May be absent.
    Rows<const float> reads;
};

/// What threads also do in the two sections of a convolution, that it need not be waited for.
struct Meanwhile {
    base::Work packing;   ///< Beside the arranging of weights; may write the convolution's input.
    base::Work products;  ///< Beside the products, when all of the above is done.
};

/// y[u] = sum over pairs (p, k) of x[p] W_k, for all rows of the level that `direction` leads to;
/// the epilogue and `after` (float32 only) name row 0 of all.
void convolve(const Rulebook& book, Direction direction, Rows<const float> x,
              const CellMaps<float>& maps, Rows<float> y, const Epilogue& epilogue = {},
              const AfterBlock& after = {}, const Meanwhile& meanwhile = {});
void convolve(const Rulebook& book, Direction direction, Rows<const double> x,
              const CellMaps<double>& maps, Rows<double> y);

/// grad[k] = sum over pairs (p, k) of u of x[p]^T g[u]; element (k, i, o) as in `CellMaps`.
template <class T>
struct CellGradients {
    T* data = nullptr;
    std::int64_t cell_stride = 0, in = 0, out = 0;
};
void weight_gradient(const Rulebook& book, Direction direction, Rows<const float> x,
                     Rows<const float> g, const CellGradients<float>& grad);
void weight_gradient(const Rulebook& book, Direction direction, Rows<const double> x,
                     Rows<const double> g, const CellGradients<double>& grad);
/// The same in two steps, to be done beside other work: sums of groups of rows, then these added
/// up. The rulebook must live until both are done.
struct GradientSteps {
    base::Work sums;   ///< Few long parts.
    base::Work total;  ///< When all of the above is done.
};
GradientSteps weight_gradient_steps(const Rulebook& book, Direction direction, Rows<const float> x,
                                    Rows<const float> g, const CellGradients<float>& grad);

/// y[u, c] = sum over pairs (p, k) of x[p, c] w[k, c]; w [cells, channels]. `direction` back uses
/// the mirrored cells where the rulebook is mirrored.
void depthwise(const Rulebook& book, Direction direction, const float* x, const float* weight,
               std::int64_t channels, float* y);
void depthwise(const Rulebook& book, Direction direction, const double* x, const double* weight,
               std::int64_t channels, double* y);
/// grad[k, c] = sum over pairs of x[p, c] g[u, c].
void depthwise_weight_gradient(const Rulebook& book, const float* x, const float* g,
                               std::int64_t channels, float* grad);
void depthwise_weight_gradient(const Rulebook& book, const double* x, const double* g,
                               std::int64_t channels, double* grad);

/// The readable reference of all the above, in any precision: one loop per sum of the formulas.
namespace naive {
template <class T>
void convolve(const Rulebook& book, Direction direction, Rows<const T> x, const CellMaps<T>& maps,
              Rows<T> y);
template <class T>
void weight_gradient(const Rulebook& book, Direction direction, Rows<const T> x, Rows<const T> g,
                     const CellGradients<T>& grad);
template <class T>
void depthwise(const Rulebook& book, Direction direction, const T* x, const T* weight,
               std::int64_t channels, T* y);
template <class T>
void depthwise_weight_gradient(const Rulebook& book, const T* x, const T* g, std::int64_t channels,
                               T* grad);
}  // namespace naive

}  // namespace hodo::sparse
