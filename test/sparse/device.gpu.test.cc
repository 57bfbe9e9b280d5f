// Sparse layers on a CUDA device, against the CPU.

#include "hodo/tensor/device.hh"
#include "sparse/device_cases.hh"

namespace hodo::sparse {
namespace {

class SparseOnDevice : public ::testing::TestWithParam<test::DeviceCase> {
  protected:
    void SetUp() override {
        if (tensor::cuda_devices() == 0) {
            GTEST_SKIP() << "no CUDA device, or a LibTorch without CUDA";
        }
        if (device_kernels() == nullptr) GTEST_SKIP() << "built without CUDA kernels";
    }
    const test::Place place_{at::Device(at::kCUDA, 0), nullptr};
};

TEST_P(SparseOnDevice, AgreesWithTheCpu) {
    GetParam().expect(place_);
}
INSTANTIATE_TEST_SUITE_P(Layers, SparseOnDevice, ::testing::ValuesIn(test::device_cases),
                         test::name_of);

}  // namespace
}  // namespace hodo::sparse
