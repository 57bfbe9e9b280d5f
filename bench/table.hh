#pragma once
/// Tables of benchmarks: what was measured, its median, and ratios to other rows of the same run.
///
/// A benchmark's name is "<table>/<what>/<argument>". Each source of this folder registers its
/// benchmarks and the rows of its table; `hodo_bench <table>` runs and prints them.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace hodo::bench {

/// One row: the median of a benchmark's figure.
struct Row {
    std::string what;
    std::string benchmark;  ///< "om2vec/encode/1"
    std::string unit;
    std::string plain = {};          ///< Benchmark of the plain computation; ratio in the table.
    std::string single = {};         ///< Benchmark of the same on one thread; ratio in the table.
    bool smaller_is_better = false;  ///< Ratios are turned round.
    std::string figure = "items_per_second";
};

/// Adds rows to a table. Called while the program is being set up.
bool add_rows(std::string_view table, const std::vector<Row>& rows);

/// Text that stands before a table: what its rows were measured on. Called when the table is made.
bool add_preface(std::string_view table, std::function<std::string()> text);

/// Google Benchmark with its own output.
void run_alone(const std::vector<std::string>& arguments);

/// Runs the benchmarks whose names begin with "<table>/" and returns the table as Markdown; one
/// without rows of its own has a row for each benchmark. `arguments` go to Google Benchmark.
std::string measure(const std::string& table, const std::vector<std::string>& arguments);

}  // namespace hodo::bench
