#include "hodo/io/detail/duckdb_library.hh"

#include <dlfcn.h>
#include <cstdlib>
#include <vector>

#include "hodo/base/error.hh"

namespace hodo::io::detail {

namespace {

/// What opening the library gave: its functions, or why there are none.
struct Opened {
    std::optional<DuckDb> functions;
    std::string reason;
};

std::vector<base::Path> candidates() {
    if (const char* chosen = std::getenv("HODO_DUCKDB")) return {chosen};
    std::vector<base::Path> files;
    Dl_info here{};
    if (dladdr(reinterpret_cast<const void*>(&duckdb), &here) != 0 && here.dli_fname != nullptr) {
        const base::Path folder = std::filesystem::absolute(here.dli_fname).parent_path();
        files.push_back(folder / "hodoscope" / "libduckdb.so");
        files.push_back(folder / "libduckdb.so");
    }
    return files;
}

template <class Function>
bool load(void* library, const char* name, Function& function) {
    function = reinterpret_cast<Function>(dlsym(library, name));
    return function != nullptr;
}

Opened open_file(const base::Path& file) {
    void* library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) return {std::nullopt, dlerror()};
    DuckDb functions;
    const char* missing = nullptr;
#define HODO_LOAD_(name) \
    if (!load(library, "duckdb_" #name, functions.name)) missing = "duckdb_" #name;
    HODO_DUCKDB_FUNCTIONS(HODO_LOAD_)
#undef HODO_LOAD_
    if (missing == nullptr) return {functions, {}};
    dlclose(library);
    return {std::nullopt, base::format("{} is too old: it has no function '{}'", file, missing)};
}

Opened open_first() {
    Opened outcome{std::nullopt, "libduckdb.so was not found"};
    for (const base::Path& file : candidates()) {
        const bool named_by_user = std::getenv("HODO_DUCKDB") != nullptr;
        if (!named_by_user && !std::filesystem::exists(file)) continue;
        outcome = open_file(file);
        if (outcome.functions) break;
    }
    return outcome;
}

const Opened& opened() {
    static const Opened outcome = open_first();
    return outcome;
}

}  // namespace

const DuckDb* duckdb_if_present() {
    return opened().functions ? &*opened().functions : nullptr;
}

const DuckDb& duckdb() {
    if (const DuckDb* library = duckdb_if_present()) return *library;
    throw base::Error(
        base::format("Parquet files need DuckDB, which cannot be opened ({}); set HODO_DUCKDB to a "
                     "libduckdb.so of version 1.4 or newer, or build Hodoscope with DuckDB_ROOT",
                     opened().reason),
        base::ExitCode::defect);
}

}  // namespace hodo::io::detail
