/// Benchmarks of everything that learns; see program.hh.

#include "hodo/tensor/device.hh"
#include "hodo/tensor/doctor.hh"
#include "program.hh"

int main(int count, char** words) {
    hodo::tensor::prepare_process();  // before LibTorch chooses its vector level
    return hodo::bench::run_program(count, words, hodo::tensor::library_line);
}
