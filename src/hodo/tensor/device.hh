#pragma once
/// Where tensors live, and how the process is set up before the first tensor operation.

#include <cstdint>
#include <string>
#include <string_view>

namespace hodo::tensor {

/// "cpu" or one CUDA device. Convert with `torch_device` of tensor/torch.hh.
struct Device {
    enum class Kind { cpu, cuda };
    Kind kind = Kind::cpu;
    int index = 0;

    std::string text() const;  ///< "cpu", "cuda:0"
    bool operator==(const Device&) const = default;
};

/// Reads "cpu", "cuda" or "cuda:N". An error says when this LibTorch has no CUDA, when the machine
/// has no device, or which indices exist.
Device parse_device(std::string_view text);

/// Number of CUDA devices that this process can use.
int cuda_devices();

/// Prepares LibTorch once, before any tensor operation: asks for AVX-512 kernels when the CPU has
/// avx512f, dq, bw and vl and the user has not set ATEN_CPU_CAPABILITY. Calling it again only
/// updates the thread count.
///
/// Our kernels share the work among threads in few large sections. LibTorch's own operators are
/// many and small here: threads inside them (`all`: base::threads()) cost more than they bring, and
/// their sums depend on the number of threads; so by default each runs on `one`.
enum class OperatorThreads { one, all };
void prepare_process(OperatorThreads threads = OperatorThreads::one);

/// Vector level of LibTorch's CPU kernels: "default", "avx2" or "avx512".
std::string vector_level();

/// Seeds LibTorch's own generators on every device, for layers that draw from them.
void seed_generators(std::uint64_t seed);

/// Number of threads that at::parallel_for really uses here (counts thread ids).
int measured_threads();

}  // namespace hodo::tensor
