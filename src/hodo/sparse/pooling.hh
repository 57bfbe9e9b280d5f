#pragma once
/// Pooling over raw memory: sums, means and largest values over lists of rows.
///
/// Used for local pooling, unpooling, whole events and voxels made of several input rows. Sums are
/// made in double precision. A row without entries gives 0.

#include "hodo/sparse/neighbours.hh"

namespace hodo::sparse {

/// In which order a sum adds: as the list goes, or by value, so that it does not depend on the
/// list's order.
enum class SumOrder : std::uint8_t { listed, by_value };

/// y[u, c] = sum over entries p of u of x[p, c].
template <class T>
void sum_rows(const Neighbours& lists, const T* x, std::int64_t channels, SumOrder order, T* y);

/// y[u, c] = the largest x[p, c]; `winners` [rows, channels] takes the row of the first such p, or
/// -1.
template <class T>
void largest_rows(const Neighbours& lists, const T* x, std::int64_t channels, T* y,
                  std::int32_t* winners);

/// grad_x[p, c] = sum over entries u of p of g[u, c] where winners[u, c] = p.
template <class T>
void largest_gradient(const Neighbours& reversed_lists, const T* g, std::int64_t channels,
                      const std::int32_t* winners, T* grad_x);

}  // namespace hodo::sparse
