/// Times and memory of a sparse U-Net, beside SparseConvNet's scheme in the same program.
///
///     hodo_bench --benchmark_filter=sparse/ --benchmark_repetitions=5
///
/// `scn_scheme` rows are the same network and maps with each convolution as a gather, a product of
/// matrices and a scatter per kernel cell; see scn_scheme.hh. Voxels: simulated_voxels.hh. Maps are
/// made anew in every pass, as for every batch of a training.

#include "busy_core.hh"
#include "normless.hh"
#include "peak_memory.hh"
#include "program.hh"
#include "scn_scheme.hh"
#include "sparse_setting.hh"
#include "table.hh"

#include <algorithm>
#include <chrono>
#include <thread>

namespace hodo {
namespace {

using bench::ChosenEvent;
using bench::count_voxels;
using bench::event_of_196k;
using bench::event_of_50k;
using bench::random_numbers;
using bench::simulated_voxels;
using bench::use_threads;

enum class Scheme { own, scn };

nn::UResNet make_net() {
    nn::UResNet net({});
    net.initialise(base::Random(1, "net"));
    return net;
}

struct Rows {
    at::Tensor coordinates, features;
};

/// The event as rows of a file; features are random.
Rows make_input_rows(const ChosenEvent& event) {
    const auto& rows = simulated_voxels(event);
    const auto count = static_cast<std::int64_t>(rows.size());
    auto table = at::empty({count, 4}, at::kInt);
    auto* c = table.data_ptr<std::int32_t>();
    for (const auto& v : rows) {
        for (const auto value : {v.batch, v.x, v.y, v.z}) *c++ = value;
    }
    return {table, at::tensor(random_numbers(count * 3)).reshape({count, 3})};
}

const Rows& input_rows(const ChosenEvent& event) {
    static std::map<std::string, Rows> made;
    const auto [place, is_new] = made.try_emplace(event.size);
    if (is_new) place->second = make_input_rows(event);
    return place->second;
}

sparse::Input make_input(const ChosenEvent& event) {
    const auto& rows = input_rows(event);
    return sparse::from_rows(rows.coordinates, rows.features);
}

template <Scheme scheme>
void forward(benchmark::State& state, const ChosenEvent& event) {
    use_threads(state.range(0));
    auto net = make_net();
    const at::NoGradGuard no_gradients;
    std::int64_t voxels = 0;
    for (auto _ : state) {
        const auto input = make_input(event);
        const auto y = scheme == Scheme::own
                           ? net.evaluate(input.tensor)
                           : bench::SchemeUResNet(net, nn::Mode::evaluate)(input.tensor);
        benchmark::DoNotOptimize(sparse::to_rows(y, input));
        voxels = y.voxels();
    }
    count_voxels(state, voxels);
    use_threads(1);
}

/// As a training does between two steps.
void forget_gradients(nn::UResNet& net) {
    for (auto& [name, tensor] : tensor::named_parameters(net))
        tensor->mutable_grad() = at::Tensor();
}

template <Scheme scheme>
void forward_backward(benchmark::State& state, const ChosenEvent& event) {
    use_threads(state.range(0));
    auto net = make_net();
    // A loss would be the same LibTorch code for every scheme: its gradient stands here instead.
    at::Tensor gradient;
    std::int64_t voxels = 0;
    for (auto _ : state) {
        const auto input = make_input(event);
        const auto y = scheme == Scheme::own
                           ? net(input.tensor, nn::Mode::train)
                           : bench::SchemeUResNet(net, nn::Mode::train)(input.tensor);
        const auto rows = sparse::to_rows(y, input);
        if (!gradient.defined()) gradient = at::ones_like(rows);
        rows.backward(gradient);
        voxels = y.voxels();
        forget_gradients(net);
    }
    count_voxels(state, voxels);
    use_threads(1);
}

/// Two passes of networks of their own at once, on a thread each, as two programs make them: what
/// the machine's cores give to work that shares nothing. The time is that of both, halved.
void two_at_once(benchmark::State& state, const ChosenEvent& event, bool backward) {
    const auto pass = [&](nn::UResNet& net) {
        base::use_this_thread_alone();
        const auto input = make_input(event);
        const at::AutoGradMode gradients(backward);
        if (!backward) {
            benchmark::DoNotOptimize(sparse::to_rows(net.evaluate(input.tensor), input));
            return;
        }
        const auto rows = sparse::to_rows(net(input.tensor, nn::Mode::train), input);
        rows.backward(at::ones_like(rows));
        forget_gradients(net);
    };
    auto one = make_net(), other = make_net();
    input_rows(event);
    using Clock = std::chrono::steady_clock;
    for (auto _ : state) {
        const auto begin = Clock::now();
        std::thread beside([&] { pass(other); });
        std::thread([&] { pass(one); }).join();
        beside.join();
        state.SetIterationTime(std::chrono::duration<double>(Clock::now() - begin).count() / 2);
    }
}

double middle_of(std::vector<double>& values) {
    const auto middle = values.begin() + std::ssize(values) / 2;
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

/// The event's passes with norms and ReLUs, without them, and without what they read as well, in
/// turn.
void norms(benchmark::State& state, const ChosenEvent& event) {
    use_threads(1);
    auto net = make_net();
    const at::NoGradGuard no_gradients;
    const bench::NormlessUResNet bare(net, bench::Copies::left_out),
        copying(net, bench::Copies::written);
    using Clock = std::chrono::steady_clock;
    const auto seconds = [&](const auto& pass) {
        const auto begin = Clock::now();
        const auto input = make_input(event);
        benchmark::DoNotOptimize(sparse::to_rows(pass(input.tensor), input));
        return std::chrono::duration<double>(Clock::now() - begin).count();
    };
    const auto evaluate = [&](const auto& x) { return net.evaluate(x); };
    seconds(evaluate);
    std::vector<double> whole, without, without_copies;
    for (auto _ : state) {
        whole.push_back(seconds(evaluate));
        without.push_back(seconds(copying));
        without_copies.push_back(seconds(bare));
    }
    const auto share = [&](std::vector<double>& others) {
        return std::max(0.01, 100 * (1 - middle_of(others) / middle_of(whole)));
    };
    state.counters["share"] = share(without);
    state.counters["share_with_copies"] = share(without_copies);
}

void forward_beside_a_busy_core(benchmark::State& state, const ChosenEvent& event) {
    const bench::BusyCore busy;
    forward<Scheme::own>(state, event);
}

void forward_backward_beside_a_busy_core(benchmark::State& state, const ChosenEvent& event) {
    const bench::BusyCore busy;
    forward_backward<Scheme::own>(state, event);
}

/// By how much one forward pass raises the memory of a process that has made none but that of a
/// single voxel; input and weights are there before.
double memory_of_forward() {
    use_threads(1);
    auto net = make_net();
    const at::NoGradGuard no_gradients;
    const auto pass = [&](const at::Tensor& coordinates, const at::Tensor& features) {
        const auto input = sparse::from_rows(coordinates, features);
        benchmark::DoNotOptimize(sparse::to_rows(net.evaluate(input.tensor), input));
    };
    const auto& rows = input_rows(event_of_196k);
    pass(rows.coordinates.narrow(0, 0, 1), rows.features.narrow(0, 0, 1));
    bench::forget_peak_memory();
    const double before = bench::peak_memory();
    pass(rows.coordinates, rows.features);
    return (bench::peak_memory() - before) / 1e6;
}

void memory(benchmark::State& state) {
    for (auto _ : state) {
        state.counters["megabytes"] = bench::figure_of_fresh_process("memory_of_forward");
    }
}

// ---- the table ----------------------------------------------------------------------------------

using bench::Goal;
using bench::GoalOf;

std::string name_of(const std::string& what, const ChosenEvent& event, int threads) {
    return base::format("sparse/{}/voxels:{}/threads:{}", what, event.size, threads);
}

/// A row of a pass on one or two threads.
bench::Row row_of(const std::string& what, const std::string& name, const ChosenEvent& event,
                  int threads, const std::string& plain, std::optional<Goal> goal) {
    return {.what = base::format("{}, {} voxels, {}", what, event.size,
                                 threads == 1 ? "1 thread" : "2 threads"),
            .benchmark = name_of(name, event, threads),
            .unit = "ms",
            .plain = plain.empty() ? "" : name_of(plain, event, threads),
            .single = threads == 1 ? "" : name_of(name, event, 1),
            .smaller_is_better = true,
            .figure = "milliseconds",
            .goal = goal};
}

std::vector<bench::Row> rows() {
    const Goal to_scheme{3, GoalOf::plain_ratio}, idle{1.8, GoalOf::thread_ratio},
        busy{1, GoalOf::thread_ratio};
    std::vector<bench::Row> all;
    for (const auto& event : {event_of_50k, event_of_196k}) {
        for (const std::string kind : {"", "_backward"}) {
            const auto what = kind.empty() ? "forward" : "forward and backward";
            const auto name = "uresnet_forward" + kind;
            all.push_back(row_of(what, name, event, 1, name + "_scn_scheme", to_scheme));
            all.push_back(row_of(what, name, event, 2, "", idle));
            all.push_back(
                {.what = base::format("{}, {} voxels, two at once on a thread each, per pass", what,
                                      event.size),
                 .benchmark = base::format("sparse/two_{}/voxels:{}", name, event.size),
                 .unit = "ms",
                 .single = name_of(name, event, 1),
                 .smaller_is_better = true,
                 .figure = "milliseconds"});
        }
    }
    for (const std::string kind : {"", "_backward"}) {
        const auto what =
            kind.empty() ? "forward beside a busy core" : "forward and backward beside a busy core";
        const auto name = "uresnet_forward" + kind + "_busy";
        all.push_back(row_of(what, name, event_of_50k, 1, "", {}));
        all.push_back(row_of(what, name, event_of_50k, 2, "", busy));
    }
    all.push_back({.what = "forward, 196k voxels: memory that it needs",
                   .benchmark = "sparse/memory",
                   .unit = "MB",
                   .smaller_is_better = true,
                   .figure = "megabytes",
                   .goal = Goal{300}});
    all.push_back({.what = "forward, 50k voxels: share of norms and ReLUs",
                   .benchmark = "sparse/norms/voxels:50k",
                   .unit = "%",
                   .smaller_is_better = true,
                   .figure = "share",
                   .goal = Goal{3}});
    all.push_back({.what = "the same and of the copies of results without a ReLU",
                   .benchmark = "sparse/norms/voxels:50k",
                   .unit = "%",
                   .figure = "share_with_copies"});
    return all;
}

[[maybe_unused]] const bool registered = [] {
    const auto add_untimed = [](const char* name, auto body, const ChosenEvent& event) {
        const auto full = base::format("sparse/{}/voxels:{}", name, event.size);
        return benchmark::RegisterBenchmark(full.c_str(), body, event)
            ->Unit(benchmark::kMillisecond);
    };
    const auto add = [&](const char* name, auto body, const ChosenEvent& event) {
        return add_untimed(name, body, event)->UseRealTime();
    };
    const auto add_threads = [&](const char* name, auto body, const ChosenEvent& event) {
        add(name, body, event)->ArgName("threads")->Arg(1)->Arg(2);
    };
    for (const auto& event : {event_of_50k, event_of_196k}) {
        add_threads("uresnet_forward", forward<Scheme::own>, event);
        add_threads("uresnet_forward_scn_scheme", forward<Scheme::scn>, event);
        add_threads("uresnet_forward_backward", forward_backward<Scheme::own>, event);
        add_threads("uresnet_forward_backward_scn_scheme", forward_backward<Scheme::scn>, event);
    }
    for (const auto& event : {event_of_50k, event_of_196k}) {
        const auto two = [](bool backward) {
            return [=](benchmark::State& state, const ChosenEvent& e) {
                two_at_once(state, e, backward);
            };
        };
        add_untimed("two_uresnet_forward", two(false), event)->UseManualTime();
        add_untimed("two_uresnet_forward_backward", two(true), event)->UseManualTime();
    }
    add_threads("uresnet_forward_busy", forward_beside_a_busy_core, event_of_50k);
    add_threads("uresnet_forward_backward_busy", forward_backward_beside_a_busy_core, event_of_50k);
    add("norms", norms, event_of_50k)->MinTime(3);
    benchmark::RegisterBenchmark("sparse/memory", memory)->Iterations(1);
    bench::add_figure_of_fresh_process("memory_of_forward", memory_of_forward);
    bench::describe_table("sparse", "SparseConvNet's scheme, 1 thread", [] {
        return base::format("Events:\n\n* 50k: {}\n* 196k: {}",
                            bench::describe_levels(event_of_50k),
                            bench::describe_levels(event_of_196k));
    });
    return bench::add_rows("sparse", rows());
}();

}  // namespace
}  // namespace hodo
