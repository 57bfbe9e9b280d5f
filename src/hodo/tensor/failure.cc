#include "hodo/tensor/failure.hh"

#include <new>
#include <string>

#include "hodo/base/error.hh"
#include "hodo/tensor/torch.hh"

namespace hodo::tensor {

namespace {

[[noreturn]] void report(std::string_view doing, const std::string& message) {
    const auto line = message.substr(0, message.find('\n'));
    if (line.find("allocate") != std::string::npos ||
        line.find("out of memory") != std::string::npos) {
        throw base::Error(
            base::format("{}: not enough memory ({}); use a smaller network or batch, "
                         "fewer workers, or a larger machine",
                         doing, line));
    }
    throw base::Error(base::format("{}: {} (LibTorch refused the operation)", doing, line),
                      base::ExitCode::defect);
}

}  // namespace

void rethrow(std::string_view doing) {
    try {
        throw;
    } catch (const c10::Error& error) {
        report(doing, error.what_without_backtrace());
    } catch (const std::bad_alloc&) {
        report(doing, "cannot allocate");
    }
}

}  // namespace hodo::tensor
