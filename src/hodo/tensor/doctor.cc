#include "hodo/tensor/doctor.hh"

#include <algorithm>
#include <chrono>
#include <fstream>

#include "hodo/base/text.hh"
#include "hodo/base/threads.hh"
#include "hodo/tensor/device.hh"
#include "hodo/tensor/torch.hh"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

namespace hodo::tensor {

namespace {

std::string libtorch_version() {
    return base::format("{}.{}.{}", TORCH_VERSION_MAJOR, TORCH_VERSION_MINOR, TORCH_VERSION_PATCH);
}

/// Best of several products of two n x n matrices, in 10^9 operations per second.
double measure_gflops(std::int64_t n) {
    using Clock = std::chrono::steady_clock;
    const at::NoGradGuard no_gradients;
    const auto a = at::ones({n, n}), b = at::ones({n, n});
    auto c = at::empty({n, n});
    at::mm_out(c, a, b);
    double best = 0;
    for (int i = 0; i < 5; ++i) {
        const auto begin = Clock::now();
        at::mm_out(c, a, b);
        const std::chrono::duration<double> elapsed = Clock::now() - begin;
        const auto operations = 2.0 * static_cast<double>(n * n * n);
        best = std::max(best, operations / elapsed.count() * 1e-9);
    }
    return best;
}

}  // namespace

std::string blas_library() {
    std::ifstream maps("/proc/self/maps");
    std::string line, found;
    while (std::getline(maps, line)) {
        const auto slash = line.find('/');
        if (slash == std::string::npos) continue;
        const auto name = line.substr(line.rfind('/') + 1);
        // The generic libblas is often a link to, or a thin layer over, one of the others.
        for (const auto* known : {"libopenblas", "libmkl_", "libblis"}) {
            if (name.starts_with(known)) return line.substr(slash);
        }
        if (name.starts_with("libblas")) found = line.substr(slash);
    }
    return found.empty() ? "built in" : found;
}

std::string library_line() {
    const auto blas = blas_library();
    return base::format("LibTorch {}, {}, {} threads, {}", libtorch_version(),
                        blas.substr(blas.rfind('/') + 1), at::get_num_threads(), vector_level());
}

Doctor examine() {
    prepare_process(OperatorThreads::all);
    Doctor doctor;
    doctor.libtorch = libtorch_version();
    doctor.gflops = measure_gflops(512);
    doctor.blas = blas_library();
    doctor.vector_level = vector_level();
    doctor.threads = base::threads();
    doctor.measured_threads = measured_threads();
    for (int i = 0; i < cuda_devices(); ++i) doctor.devices.push_back(base::format("cuda:{}", i));
    return doctor;
}

std::vector<std::string> Doctor::warnings() const {
    std::vector<std::string> found;
    if (gflops < 10) {
        found.push_back(base::format(
            "matrix products run at {:.1f} GFLOP/s (the reference BLAS is about 40 times slower "
            "than OpenBLAS); install libopenblas0-openmp",
            gflops));
    }
    if (blas.find("openblas") != std::string::npos && blas.find("pthread") != std::string::npos) {
        found.push_back(
            "OpenBLAS is the pthread flavour (its threads compete with those of LibTorch); install "
            "libopenblas0-openmp");
    }
    if (measured_threads < threads) {
        found.push_back(base::format(
            "kernels use {} of {} threads (was Hodoscope compiled without OpenMP?); rebuild it",
            measured_threads, threads));
    }
    return found;
}

}  // namespace hodo::tensor
