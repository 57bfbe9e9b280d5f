#pragma once
/// Differentiable sums over lists of rows: what pooling, input, output and events share.

#include "hodo/sparse/pooling.hh"
#include "hodo/tensor/torch.hh"

#include <memory>

namespace hodo::sparse {

/// Lists one way and the other.
struct RowLists {
    std::shared_ptr<const Neighbours> there, back;
    SumOrder there_order = SumOrder::listed, back_order = SumOrder::listed;

    RowLists turned() const { return {back, there, back_order, there_order}; }
};

/// y[u] = sum over p in there(u) of x[p]; the gradient sums along `back`.
at::Tensor sum_over(const RowLists& lists, const at::Tensor& x);
/// y[u] = the largest of them, 0 where there is none.
at::Tensor largest_over(const RowLists& lists, const at::Tensor& x);
/// The length of each list as numbers [rows, 1] of the type of `like`, at least 1.
at::Tensor list_lengths(const Neighbours& lists, const at::Tensor& like);

/// Lists that take each event's rows to one row, or all rows to one.
RowLists event_lists(const Coordinates& coordinates);
RowLists batch_list(const Coordinates& coordinates);

/// x + row and x * row for each row of `x` [rows, channels]. The gradient of `row` [channels] is
/// summed up in a fixed order: LibTorch's own sum of one column depends on threads.
at::Tensor plus_row(const at::Tensor& x, const at::Tensor& row);
at::Tensor times_row(const at::Tensor& x, const at::Tensor& row);

/// An error unless `x` is float32 or double, on the CPU or a device whose kernels this build has;
/// then `x` with plain rows.
at::Tensor plain_rows(const at::Tensor& x);

/// Rows without values, from memory that is used again (detail/memory.hh).
at::Tensor new_rows(std::int64_t rows, std::int64_t channels, const at::TensorOptions& options);

/// Calls `body` with a float or a double, as the type of `x` is.
template <class Body>
void for_type_of(const at::Tensor& x, const Body& body) {
    if (x.scalar_type() == at::kFloat) {
        body(float{});
    } else {
        body(double{});
    }
}

}  // namespace hodo::sparse
