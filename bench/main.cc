/// hodo_bench TABLE [--write FILE] [arguments of Google Benchmark]: measures and prints a table.
/// hodo_bench --benchmark_...: Google Benchmark as it is.

#include "hodo/base/error.hh"
#include "hodo/base/text.hh"
#include "hodo/io/atomic_file.hh"
#include "table.hh"

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

namespace {

int run(std::vector<std::string> arguments) {
    HODO_CHECK(!arguments.empty(),
               "no table was named (its benchmarks are those to run); give om2vec or the beginning "
               "of other benchmarks' names, or options of Google Benchmark alone");
    if (arguments[0].starts_with("--")) {
        hodo::bench::run_alone(arguments);
        return 0;
    }
    const auto table = arguments[0];
    arguments.erase(arguments.begin());
    std::string file;
    const auto option = std::find(arguments.begin(), arguments.end(), "--write");
    if (option != arguments.end()) {
        HODO_CHECK(option + 1 != arguments.end(), "--write needs the name of a file; give one");
        file = option[1];
        arguments.erase(option, option + 2);
    }
    const auto text = hodo::bench::measure(table, arguments);
    std::fputs(text.c_str(), stdout);
    if (!file.empty()) hodo::io::write_text(file, text);
    return 0;
}

}  // namespace

int main(int count, char** words) {
    try {
        return run({words + 1, words + count});
    } catch (const std::exception& error) {
        std::fprintf(stderr, "hodo_bench: %s\n", error.what());
        return 1;
    }
}
