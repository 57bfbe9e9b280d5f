#include "hodo/base/error.hh"

namespace hodo::base {

Error with_context(const Error& error, std::string_view context) {
    return Error(std::string(context) + ": " + error.what(), error.code());
}

void broken_contract(const char* kind, const char* condition, const char* file, int line) {
    throw Defect(base::format("{} '{}' is broken at {}:{}", kind, condition, file, line));
}

}  // namespace hodo::base
