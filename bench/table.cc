#include "table.hh"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <map>
#include <optional>

#include "hodo/base/text.hh"
#include "hodo/tensor/doctor.hh"

namespace hodo::bench {

namespace {

std::map<std::string, std::vector<Row>>& all_rows() {
    static std::map<std::string, std::vector<Row>> rows;
    return rows;
}

std::map<std::string, std::function<std::string()>>& all_prefaces() {
    static std::map<std::string, std::function<std::string()>> prefaces;
    return prefaces;
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

/// Three significant digits, large numbers in millions.
std::string short_number(double value) {
    if (value >= 1e6) return short_number(value / 1e6) + " M";
    const int digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
    return base::format("{:.{}f}", value, digits);
}

std::string loads() {
    double load[3]{};
    return getloadavg(load, 3) < 1 ? "unknown" : base::format("{:.1f}", load[0]);
}

std::string ratio(std::optional<double> here, std::optional<double> there, const Row& row) {
    if (!here || !there || *here <= 0 || *there <= 0) return "";
    return short_number(row.smaller_is_better ? *there / *here : *here / *there);
}

std::string markdown(const std::vector<Row>& rows, const Collector& collector) {
    std::string text =
        "| what | median | plain computation, 1 thread | ratio | to 1 thread |\n"
        "|---|---|---|---|---|\n";
    for (const auto& row : rows) {
        const auto here = collector.median(row.benchmark, row.figure);
        if (!here) continue;
        const auto plain = collector.median(row.plain, row.figure);
        const auto single = collector.median(row.single, row.figure);
        text += base::format("| {} | {} {} | {} | {} | {} |\n", row.what, short_number(*here),
                             row.unit, plain ? short_number(*plain) : "", ratio(here, plain, row),
                             ratio(here, single, row));
    }
    return text;
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
    auto& all = all_rows()[std::string(table)];
    all.insert(all.end(), rows.begin(), rows.end());
    return true;
}

bool add_preface(std::string_view table, std::function<std::string()> text) {
    all_prefaces()[std::string(table)] = std::move(text);
    return true;
}

void run_alone(const std::vector<std::string>& arguments) {
    initialise(arguments);
    benchmark::RunSpecifiedBenchmarks();
}

std::string measure(const std::string& table, const std::vector<std::string>& arguments) {
    std::vector<std::string> words{"--benchmark_filter=^" + table + "/",
                                   "--benchmark_repetitions=5",
                                   "--benchmark_enable_random_interleaving=true"};
    words.insert(words.end(), arguments.begin(), arguments.end());
    initialise(words);
    Collector collector;
    const auto before = loads();
    benchmark::RunSpecifiedBenchmarks(&collector);
    const auto known = all_rows().find(table);
    const auto preface = all_prefaces().find(table);
    return (preface == all_prefaces().end() ? "" : preface->second()) +
           markdown(known == all_rows().end() ? collector.rows() : known->second, collector) +
           base::format("\n{}; load of the machine {} before, {} after.\n", tensor::library_line(),
                        before, loads());
}

}  // namespace hodo::bench
