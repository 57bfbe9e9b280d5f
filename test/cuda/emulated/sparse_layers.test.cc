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

class SparseEmulated : public ::testing::TestWithParam<test::DeviceCase> {};

TEST_P(SparseEmulated, AgreesWithTheCpu) {
    GetParam().expect(place);
}
INSTANTIATE_TEST_SUITE_P(Layers, SparseEmulated, ::testing::ValuesIn(test::device_cases),
                         test::name_of);

}  // namespace
}  // namespace hodo::sparse
