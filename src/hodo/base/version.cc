#include "hodo/base/version.hh"

#ifndef HODO_VERSION
#define HODO_VERSION "unknown"
#endif
#ifndef HODO_COMMIT
#define HODO_COMMIT "unknown"
#endif
#ifndef HODO_BUILD
#define HODO_BUILD "unknown build"
#endif

namespace hodo::base {

std::string_view version() {
    return HODO_VERSION;
}

std::string_view commit() {
    return HODO_COMMIT;
}

std::string_view build() {
#ifdef __clang__
    return HODO_BUILD ", clang " __clang_version__;
#else
    return HODO_BUILD ", g++ " __VERSION__;
#endif
}

}  // namespace hodo::base
