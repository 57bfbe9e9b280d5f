#include "program.hh"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <vector>

#include "hodo/base/error.hh"
#include "hodo/base/text.hh"
#include "hodo/io/atomic_file.hh"
#include "table.hh"

namespace hodo::bench {

namespace {

constexpr const char* fresh = "--figure-of-fresh-process";

std::map<std::string, std::function<double()>>& fresh_figures() {
    static std::map<std::string, std::function<double()>> figures;
    return figures;
}

void run(std::vector<std::string> arguments, const std::function<std::string()>& about) {
    HODO_CHECK(!arguments.empty(),
               "no table was named (its benchmarks are those to run); give one, or options of "
               "Google Benchmark alone");
    if (arguments[0] == fresh && arguments.size() == 2) {
        std::printf("%.17g\n", fresh_figures().at(arguments[1])());
        return;
    }
    if (arguments[0].starts_with("--")) return run_alone(arguments);
    const auto table = arguments[0];
    arguments.erase(arguments.begin());
    std::string file;
    const auto option = std::find(arguments.begin(), arguments.end(), "--write");
    if (option != arguments.end()) {
        HODO_CHECK(option + 1 != arguments.end(), "--write needs the name of a file; give one");
        file = option[1];
        arguments.erase(option, option + 2);
    }
    auto text = measure(table, arguments);
    text += about() + "\n";  // after LibTorch has chosen its kernels
    std::fputs(text.c_str(), stdout);
    if (!file.empty()) io::write_text(file, text);
}

}  // namespace

int run_program(int count, char** words, const std::function<std::string()>& about) {
    try {
        run({words + 1, words + count}, about);
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s: %s\n", words[0], error.what());
        return 1;
    }
}

bool add_figure_of_fresh_process(const std::string& name, std::function<double()> figure) {
    fresh_figures()[name] = std::move(figure);
    return true;
}

double figure_of_fresh_process(const std::string& name) {
    const auto program = std::filesystem::read_symlink("/proc/self/exe").string();
    const auto command = base::format("'{}' {} {}", program, fresh, name);
    std::FILE* pipe = popen(command.c_str(), "r");
    HODO_CHECK(pipe != nullptr, "{}: cannot be started for a figure of its own", program);
    double value = 0;
    const int found = std::fscanf(pipe, "%lf", &value);
    HODO_CHECK(pclose(pipe) == 0 && found == 1, "{}: gave no figure '{}'", program, name);
    return value;
}

}  // namespace hodo::bench
