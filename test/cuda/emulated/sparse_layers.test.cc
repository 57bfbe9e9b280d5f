// Sparse layers through the CUDA kernels, which here run on the CPU one thread after the other.

#include "hodo/tensor/cuda/memory.hh"
#include "sparse/device_cases.hh"

namespace hodo::sparse {
namespace {

template <class T>
constexpr DeviceKernels<T> launchers{
    cuda::product,  cuda::weight_gradient, cuda::depthwise,       cuda::depthwise_weight_gradient,
    cuda::sum_rows, cuda::largest_rows,    cuda::largest_gradient};

const DeviceTable emulated{launchers<float>, launchers<double>,
                           [] { return static_cast<void*>(nullptr); }, tensor::cuda::error_text,
                           true};
const test::Place place{at::kCPU, &emulated};

TEST(SparseEmulated, ConvolutionsAgreeWithTheCpu) {
    test::expect_convolutions(place);
}
TEST(SparseEmulated, LongSumsOfGradientsAgreeWithTheCpu) {
    test::expect_long_sums(place);
}
TEST(SparseEmulated, PoolingAgreesWithTheCpu) {
    test::expect_pooling(place);
}
TEST(SparseEmulated, NormsAgreeWithTheCpu) {
    test::expect_norms(place);
}
TEST(SparseEmulated, ANetworkAgreesWithTheCpu) {
    test::expect_network(place);
}
TEST(SparseEmulated, NoVoxelsAreOrdinaryInput) {
    test::expect_empty_batches(place);
}

}  // namespace
}  // namespace hodo::sparse
