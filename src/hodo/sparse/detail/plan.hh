#pragma once
/// What a convolution's layers share: the way through a rulebook, and weights and rows as kernels
/// see them.

#include "hodo/sparse/conv.hh"
#include "hodo/sparse/products.hh"

#include <ATen/core/ivalue.h>

namespace hodo::sparse {

/// A rulebook and the way through it: what a convolution's gradient must remember.
struct Plan : torch::CustomClassHolder {
    Plan(SharedRulebook b, Direction d) : book(std::move(b)), direction(d) {}
    SharedRulebook book;
    Direction direction;

    Direction opposite() const {
        return direction == Direction::there ? Direction::back : Direction::there;
    }
    const SharedCoordinates& target() const {
        return direction == Direction::there ? book->output() : book->input();
    }
};
using SharedPlan = c10::intrusive_ptr<Plan>;

/// From `x` to the level that the layer leads to.
SharedPlan forward_plan(const SparseTensor& x, const ConvSpec& spec);
/// The map of the strided layer from `target` to `x`, the other way.
SharedPlan transposed_plan(const SparseTensor& x, const ConvSpec& spec,
                           const SharedCoordinates& target);
/// Weights as [cells, groups, in / groups, out / groups], checked against input and kernel.
at::Tensor grouped(const SparseTensor& x, const at::Tensor& weight, const Kernel& kernel);

/// Weights [cells, groups, in / groups, out / groups] as one group's maps.
template <class T>
CellMaps<T> group_maps(const at::Tensor& weight, std::int64_t group,
                       typename CellMaps<T>::Form form) {
    const auto in = weight.size(2), out = weight.size(3);
    return {weight.data_ptr<T>() + group * in * out, weight.size(1) * in * out, in, out, form};
}

/// Columns of a tensor from `first` on; columns of one row lie side by side.
template <class T>
Rows<T> columns(const at::Tensor& x, std::int64_t first) {
    return {x.data_ptr<std::remove_const_t<T>>() + first, x.stride(0)};
}

}  // namespace hodo::sparse
