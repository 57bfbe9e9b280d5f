#pragma once
/// The table of one vector level.

#include "hodo/sparse/kernels/depthwise_tiles.hh"
#include "hodo/sparse/kernels/gradient_tiles.hh"
#include "hodo/sparse/kernels/norm_tiles.hh"
#include "hodo/sparse/kernels/product_tiles.hh"

namespace hodo::sparse {
namespace {

constexpr Kernels make_kernels(std::string_view name) {
    return {name,         product,        weight_gradient, depthwise,   depthwise_weight_gradient,
            column_sums,  column_squares, moments,         scale_leaky, norm_sums,
            norm_gradient};
}

}  // namespace
}  // namespace hodo::sparse
