#pragma once
/// Tables of benchmarks: what was measured, its median, ratios to other rows of the same run, and
/// the goal that was set.
///
/// A benchmark's name is "<table>/<what>/<argument>". Each source of this folder registers its
/// benchmarks and the rows of its table; `hodo_bench <table>` runs and prints them.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hodo::bench {

/// What ought to be reached: by the row's figure, or by one of its ratios (at least then).
enum class GoalOf { figure, plain_ratio, thread_ratio };
struct Goal {
    double value = 0;
    GoalOf of = GoalOf::figure;
};

/// One row: the median of a benchmark's figure.
struct Row {
    std::string what;
    std::string benchmark;  ///< "om2vec/encode/1"
    std::string unit;
    std::string plain = {};          ///< Benchmark of the plain computation; ratio in the table.
    std::string single = {};         ///< Benchmark of the same on one thread; ratio in the table.
    bool smaller_is_better = false;  ///< Ratios are turned round, and the goal is a limit.
    std::string figure = "items_per_second";
    std::optional<Goal> goal = {};
};

/// Adds rows to a table. Called while the program is being set up.
bool add_rows(std::string_view table, const std::vector<Row>& rows);

/// What a table's rows are compared with (a column's title), and a text that stands before the
/// table: what was measured. The text is asked for when the table is made.
bool describe_table(std::string_view table, std::string plain, std::function<std::string()> text);

/// The median of a benchmark's figure, if it was measured.
using Medians =
    std::function<std::optional<double>(const std::string& benchmark, const std::string& figure)>;

/// Rows that were measured as Markdown; columns without content are left out. `plain` is the title
/// of the column with the plain computation.
std::string table_text(const std::vector<Row>& rows, std::string_view plain,
                       const Medians& medians);

/// Google Benchmark with its own output.
void run_alone(const std::vector<std::string>& arguments);

/// Runs the benchmarks that a table's rows name, or without rows those whose names begin with
/// "<table>/", and returns the table. `arguments` go to Google Benchmark.
std::string measure(const std::string& table, const std::vector<std::string>& arguments);

}  // namespace hodo::bench
