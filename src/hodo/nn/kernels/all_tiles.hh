#pragma once
/// The table of one vector level.

#include "hodo/nn/kernels/attention_tiles.hh"
#include "hodo/nn/kernels/feed_forward_tiles.hh"
#include "hodo/nn/kernels/norm_tiles.hh"
#include "hodo/nn/kernels/scalar_tiles.hh"

namespace hodo::nn {
namespace {

constexpr Kernels make_kernels(std::string_view name) {
    return {name,           dense,           along_rows,
            product,        feed_forward,    feed_forward_gradient,
            attend,         attend_gradient, scalar_means,
            chebyshev_sums, add_norm,        add_scaled,
            read_rows,      write_rows};
}

}  // namespace
}  // namespace hodo::nn
