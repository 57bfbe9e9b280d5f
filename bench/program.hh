#pragma once
/// What programs of benchmarks do with their command lines.
///
///     hodo_bench TABLE [--write FILE] [arguments of Google Benchmark]: measures, prints a table.
///     hodo_bench --benchmark_...: Google Benchmark as it is.
///
/// Some figures must be taken by a process that has done nothing else, such as the memory of a
/// first pass: functions for them are added by name, and the program starts itself once more.

#include <functional>
#include <string>

namespace hodo::bench {

/// `about`: a line for the end of a table. The exit status.
int run_program(int count, char** words, const std::function<std::string()>& about);

/// Called while the program is being set up.
bool add_figure_of_fresh_process(const std::string& name, std::function<double()> figure);
/// What the function of that name returns in a process of its own.
double figure_of_fresh_process(const std::string& name);

}  // namespace hodo::bench
