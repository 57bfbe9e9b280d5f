#pragma once
/// What LibTorch stands on in this process: library versions, BLAS, threads, speed.

#include <string>
#include <vector>

namespace hodo::tensor {

struct Doctor {
    std::string libtorch;              ///< "1.13.0" as the library's headers say
    std::string blas;                  ///< Path of the BLAS library in use, or "built in"
    double gflops = 0;                 ///< Measured: product of two 512 x 512 float32 matrices
    std::string vector_level;          ///< "default", "avx2", "avx512"
    int threads = 1;                   ///< Asked for
    int measured_threads = 1;          ///< That at::parallel_for uses
    std::vector<std::string> devices;  ///< CUDA devices by name, empty without

    /// Advice, one sentence each; empty when all is well.
    std::vector<std::string> warnings() const;
};

/// Looks and measures; takes about 50 ms.
Doctor examine();

/// One line for logs: "LibTorch 1.13.0, libopenblas.so.0, 2 threads, avx512".
std::string library_line();

/// Path of the BLAS library mapped into this process, or "built in".
std::string blas_library();

}  // namespace hodo::tensor
