#include "table.hh"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <map>

#include "hodo/base/text.hh"

namespace hodo::bench {

namespace {

struct Table {
    std::vector<Row> rows;
    std::string plain = "plain computation, 1 thread";
    std::function<std::string()> text;
};

std::map<std::string, Table>& all_tables() {
    static std::map<std::string, Table> tables;
    return tables;
}

/// Collects the figures of every run by benchmark; tells on the terminal how far it is.
class Collector final : public benchmark::BenchmarkReporter {
  public:
    bool ReportContext(const Context&) override { return true; }
    void ReportRuns(const std::vector<Run>& runs) override {
        for (const auto& run : runs) {
            if (run.run_type != Run::RT_Iteration || run.error_occurred) continue;
            const auto name = run.run_name.function_name +
                              (run.run_name.args.empty() ? "" : "/" + run.run_name.args);
            for (const auto& [figure, counter] : run.counters) {
                figures_[{name, figure}].push_back(counter.value);
            }
            figures_[{name, "milliseconds"}].push_back(1e3 * run.real_accumulated_time /
                                                       static_cast<double>(run.iterations));
            std::cerr << name << "\n";
        }
    }
    std::optional<double> median(const std::string& benchmark, const std::string& figure) const {
        const auto found = figures_.find({benchmark, figure});
        if (found == figures_.end()) return std::nullopt;
        auto values = found->second;
        std::sort(values.begin(), values.end());
        const auto middle = values.size() / 2;
        return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
    }

    /// A row for the time of each benchmark.
    std::vector<Row> rows() const {
        std::vector<Row> all;
        for (const auto& [key, values] : figures_) {
            if (key.second != "milliseconds") continue;
            all.push_back({.what = key.first,
                           .benchmark = key.first,
                           .unit = "ms",
                           .figure = "milliseconds"});
        }
        return all;
    }

  private:
    std::map<std::pair<std::string, std::string>, std::vector<double>> figures_;
};

std::string loads() {
    double load[3]{};
    return getloadavg(load, 3) < 1 ? "unknown" : base::format("{:.1f}", load[0]);
}

/// A regular expression for the benchmarks that the rows need.
std::string filter_of(const std::string& name, const std::vector<Row>& rows) {
    std::string names;
    for (const auto& row : rows) {
        for (const auto& needed : {row.benchmark, row.plain, row.single}) {
            if (!needed.empty()) names += (names.empty() ? "" : "|") + needed;
        }
    }
    return names.empty() ? "^" + name + "/" : "^(" + names + ")(/|$)";
}

/// Hands arguments to Google Benchmark, which keeps pointers to them.
void initialise(const std::vector<std::string>& arguments) {
    static std::vector<std::string> words;
    words = arguments;
    words.insert(words.begin(), "hodo_bench");
    std::vector<char*> pointers;
    for (auto& word : words) pointers.push_back(word.data());
    int count = static_cast<int>(pointers.size());
    benchmark::Initialize(&count, pointers.data());
    if (benchmark::ReportUnrecognizedArguments(count, pointers.data())) std::exit(2);
}

}  // namespace

bool add_rows(std::string_view table, const std::vector<Row>& rows) {
    auto& all = all_tables()[std::string(table)].rows;
    all.insert(all.end(), rows.begin(), rows.end());
    return true;
}

bool describe_table(std::string_view table, std::string plain, std::function<std::string()> text) {
    auto& described = all_tables()[std::string(table)];
    described.plain = std::move(plain);
    described.text = std::move(text);
    return true;
}

void run_alone(const std::vector<std::string>& arguments) {
    initialise(arguments);
    benchmark::RunSpecifiedBenchmarks();
}

std::string measure(const std::string& name, const std::vector<std::string>& arguments) {
    const auto& table = all_tables()[name];
    std::vector<std::string> words{"--benchmark_filter=" + filter_of(name, table.rows),
                                   "--benchmark_repetitions=5",
                                   "--benchmark_enable_random_interleaving=true"};
    words.insert(words.end(), arguments.begin(), arguments.end());
    initialise(words);
    Collector collector;
    const auto before = loads();
    benchmark::RunSpecifiedBenchmarks(&collector);
    const Medians medians = [&](const auto& benchmark, const auto& figure) {
        return collector.median(benchmark, figure);
    };
    return (table.text ? table.text() + "\n\n" : "") +
           table_text(table.rows.empty() ? collector.rows() : table.rows, table.plain, medians) +
           base::format("\nLoad of the machine {} before, {} after.\n", before, loads());
}

}  // namespace hodo::bench
