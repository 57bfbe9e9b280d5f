#include "hodo/nn/kernels/all_tiles.hh"
#include "hodo/nn/kernels/feed_forward_matrix.hh"
#include "hodo/nn/kernels/variants.hh"

namespace hodo::nn {

namespace {

constexpr Kernels with_matrix_tiles(Kernels kernels) {
    kernels.feed_forward = feed_forward_by_matrix;
    return kernels;
}

}  // namespace

const Kernels amx_kernels = with_matrix_tiles(make_kernels("amx"));

}  // namespace hodo::nn
