// Sparse layers on a CUDA device, against the CPU.

#include "hodo/tensor/device.hh"
#include "sparse/device_cases.hh"

namespace hodo::sparse {
namespace {

class SparseOnDevice : public ::testing::Test {
  protected:
    void SetUp() override {
        if (tensor::cuda_devices() == 0) {
            GTEST_SKIP() << "no CUDA device, or a LibTorch without CUDA";
        }
        if (device_kernels() == nullptr) GTEST_SKIP() << "built without CUDA kernels";
    }
    const test::Place place_{at::Device(at::kCUDA, 0), nullptr};
};

TEST_F(SparseOnDevice, ConvolutionsAgreeWithTheCpu) {
    test::expect_convolutions(place_);
}
TEST_F(SparseOnDevice, LongSumsOfGradientsAgreeWithTheCpu) {
    test::expect_long_sums(place_);
}
TEST_F(SparseOnDevice, PoolingAgreesWithTheCpu) {
    test::expect_pooling(place_);
}
TEST_F(SparseOnDevice, NormsAgreeWithTheCpu) {
    test::expect_norms(place_);
}
TEST_F(SparseOnDevice, ANetworkAgreesWithTheCpu) {
    test::expect_network(place_);
}
TEST_F(SparseOnDevice, NoVoxelsAreOrdinaryInput) {
    test::expect_empty_batches(place_);
}

}  // namespace
}  // namespace hodo::sparse
