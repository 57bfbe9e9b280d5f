/// Times of sparse layers and of a sparse U-Net, beside SparseConvNet's scheme in the same program.
///
///     hodo_bench --benchmark_filter=sparse/ --benchmark_repetitions=5
///
/// `scn_scheme` rows are the same network and maps with each convolution as a gather, a product of
/// matrices and a scatter per kernel cell; see scn_scheme.hh. Voxels: simulated_voxels.hh.

#include "hodo/base/threads.hh"
#include "hodo/sparse/products.hh"
#include "hodo/tensor/device.hh"
#include "scn_scheme.hh"
#include "simulated_voxels.hh"
#include "table.hh"

#include <benchmark/benchmark.h>

namespace hodo {
namespace {

using bench::ChosenEvent;
using bench::event_of_196k;
using bench::event_of_50k;
using bench::simulated_voxels;
using sparse::Direction;
using sparse::SharedCoordinates;

SharedCoordinates coordinates(const ChosenEvent& event) {
    static std::map<std::string, SharedCoordinates> known;
    auto& found = known[event.size];
    if (!found) found = sparse::group_rows(simulated_voxels(event)).voxels;
    return found;
}

/// Kernels share so many threads; LibTorch's operators run on one, as in the program.
void use_threads(std::int64_t threads) {
    base::set_threads(static_cast<int>(threads));
    tensor::prepare_process();
}

void count_voxels(benchmark::State& state, std::int64_t voxels) {
    state.counters["voxels"] = static_cast<double>(voxels);
    state.counters["voxels/s"] = benchmark::Counter(
        static_cast<double>(voxels * static_cast<std::int64_t>(state.iterations())),
        benchmark::Counter::kIsRate);
}

std::vector<float> numbers(std::int64_t count) {
    base::Random random(1, "numbers");
    std::vector<float> values(static_cast<std::size_t>(count));
    for (auto& value : values) value = static_cast<float>(random.normal());
    return values;
}

/// All maps of a network of four levels, from unordered rows.
void all_maps(benchmark::State& state, const ChosenEvent& event) {
    use_threads(1);
    const auto& rows = simulated_voxels(event);
    for (auto _ : state) {
        sparse::Maps maps;
        auto level = sparse::group_rows(rows).voxels;
        for (int i = 0; i < 4; ++i) {
            const auto same = sparse::submanifold({3, 3, 3});
            maps.rulebook(level, level, same.kernel)->blocks();
            if (i == 3) break;
            const auto half = sparse::strided({2, 2, 2}, {2, 2, 2});
            const auto coarse = maps.coarser(level, half.kernel, half.stride, half.sites);
            const auto book = maps.rulebook(coarse, level, half.kernel);
            book->blocks(Direction::there);
            book->blocks(Direction::back);
            level = coarse;
        }
        benchmark::DoNotOptimize(level);
    }
    count_voxels(state, static_cast<std::int64_t>(rows.size()));
}
void depthwise_maps(benchmark::State& state) {
    use_threads(1);
    auto voxels = simulated_voxels(event_of_50k);
    std::sort(voxels.begin(), voxels.end());
    voxels.resize(std::min<std::size_t>(voxels.size(), 16000));
    for (auto _ : state) {
        const auto level = sparse::group_rows(voxels).voxels;
        benchmark::DoNotOptimize(
            sparse::Rulebook(level, level, sparse::submanifold({7, 7, 7}).kernel));
    }
    count_voxels(state, static_cast<std::int64_t>(voxels.size()));
}
BENCHMARK(depthwise_maps)->Name("sparse/maps_7x7x7")->Unit(benchmark::kMillisecond);

enum class MapState { fresh, cached };

/// Layers of the network by shape; strided ones lead to the coarser level, transposed ones back.
enum class Layer { same, down, up };

struct Layers {
    sparse::SharedRulebook book;
    Direction direction;
};

Layers make_layer(Layer layer) {
    const auto level = coordinates(event_of_50k);
    sparse::Maps maps;
    if (layer == Layer::same) {
        return {maps.rulebook(level, level, sparse::submanifold({3, 3, 3}).kernel),
                Direction::there};
    }
    const auto half = sparse::strided({2, 2, 2}, {2, 2, 2});
    const auto coarse = maps.coarser(level, half.kernel, half.stride, half.sites);
    return {maps.rulebook(coarse, level, half.kernel),
            layer == Layer::down ? Direction::there : Direction::back};
}

void count_operations(benchmark::State& state, const Layers& layer, std::int64_t per_pair) {
    state.counters["GFLOP/s"] = benchmark::Counter(
        2e-9 * static_cast<double>(layer.book->neighbours(layer.direction).entries.size()) *
            static_cast<double>(per_pair) * static_cast<double>(state.iterations()),
        benchmark::Counter::kIsRate);
}

template <MapState maps, Layer layer>
void one_convolution(benchmark::State& state) {
    use_threads(state.range(2));
    const std::int64_t in = state.range(0), out = state.range(1);
    const auto known = make_layer(layer);
    const auto& book = *known.book;
    const auto rows = book.neighbours(known.direction).rows();
    const auto sources =
        (known.direction == Direction::there ? book.input() : book.output())->size();
    const auto x = numbers(sources * in), w = numbers(book.cells() * in * out);
    std::vector<float> y(static_cast<std::size_t>(rows * out));
    const auto run = [&](const sparse::Rulebook& used) {
        sparse::convolve(used, known.direction, {x.data(), in},
                         sparse::CellMaps<float>{w.data(), in * out, in, out}, {y.data(), out});
    };
    run(book);
    for (auto _ : state) {
        if constexpr (maps == MapState::fresh) {
            run(sparse::Rulebook(book.output(), book.input(), book.kernel()));
        } else {
            run(book);
        }
        benchmark::DoNotOptimize(y.data());
    }
    count_voxels(state, coordinates(event_of_50k)->size());
    count_operations(state, known, in * out);
    use_threads(1);
}

void weight_gradient(benchmark::State& state) {
    use_threads(state.range(2));
    const std::int64_t in = state.range(0), out = state.range(1);
    const auto known = make_layer(Layer::same);
    const auto rows = known.book->output()->size();
    const auto x = numbers(rows * in), g = numbers(rows * out);
    std::vector<float> grad(static_cast<std::size_t>(27 * in * out));
    for (auto _ : state) {
        sparse::weight_gradient(*known.book, known.direction,
                                sparse::Rows<const float>{x.data(), in},
                                sparse::Rows<const float>{g.data(), out},
                                sparse::CellGradients<float>{grad.data(), in * out, in, out});
        benchmark::DoNotOptimize(grad.data());
    }
    count_voxels(state, rows);
    count_operations(state, known, in * out);
    use_threads(1);
}

void shapes(benchmark::internal::Benchmark* b,
            std::initializer_list<std::pair<std::int64_t, std::int64_t>> channels) {
    b->ArgNames({"in", "out", "threads"})->UseRealTime()->Unit(benchmark::kMillisecond);
    for (const std::int64_t threads : {1, 2}) {
        for (const auto& [in, out] : channels) b->Args({in, out, threads});
    }
}
void square_shapes(benchmark::internal::Benchmark* b) {
    shapes(b, {{16, 16}, {32, 32}, {64, 64}});
}
void submanifold_shapes(benchmark::internal::Benchmark* b) {
    shapes(b, {{3, 16}, {16, 16}, {32, 16}, {32, 32}, {64, 32}, {48, 48}, {64, 64}});
}
BENCHMARK(one_convolution<MapState::fresh, Layer::same>)
    ->Name("sparse/conv_3x3x3_fresh")
    ->Apply(square_shapes);
BENCHMARK(one_convolution<MapState::cached, Layer::same>)
    ->Name("sparse/conv_3x3x3_cached")
    ->Apply(submanifold_shapes);
BENCHMARK(one_convolution<MapState::cached, Layer::down>)
    ->Name("sparse/conv_2x2x2_down")
    ->Apply([](auto* b) {
        shapes(b, {{16, 32}});
    });
BENCHMARK(one_convolution<MapState::cached, Layer::up>)
    ->Name("sparse/conv_2x2x2_up")
    ->Apply([](auto* b) {
        shapes(b, {{32, 16}});
    });
BENCHMARK(weight_gradient)->Name("sparse/weight_gradient_3x3x3")->Apply(submanifold_shapes);

enum class Scheme { own, scn };

nn::UResNet make_net() {
    nn::UResNet net({});
    net.initialise(base::Random(1, "net"));
    return net;
}

sparse::Input make_input(const ChosenEvent& event) {
    const auto& rows = simulated_voxels(event);
    const auto count = static_cast<std::int64_t>(rows.size());
    auto table = at::empty({count, 4}, at::kInt);
    auto* c = table.data_ptr<std::int32_t>();
    for (const auto& v : rows) {
        for (const auto value : {v.batch, v.x, v.y, v.z}) *c++ = value;
    }
    static std::map<std::string, at::Tensor> features;
    auto& x = features[event.size];
    if (!x.defined()) x = at::tensor(numbers(count * 3)).reshape({count, 3});
    return sparse::from_rows(table, x);
}

/// Maps are made anew in every pass, as for every batch of a training.
template <Scheme scheme>
void forward(benchmark::State& state, const ChosenEvent& event) {
    auto net = make_net();
    use_threads(state.range(0));
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

template <Scheme scheme>
void forward_backward(benchmark::State& state, const ChosenEvent& event) {
    auto net = make_net();
    use_threads(state.range(0));
    std::int64_t voxels = 0;
    for (auto _ : state) {
        const auto input = make_input(event);
        const auto y = scheme == Scheme::own
                           ? net(input.tensor, nn::Mode::train)
                           : bench::SchemeUResNet(net, nn::Mode::train)(input.tensor);
        sparse::to_rows(y, input).square().mean().backward();
        voxels = y.voxels();
    }
    count_voxels(state, voxels);
    use_threads(1);
}

[[maybe_unused]] const bool registered = [] {
    const auto add = [](const char* name, auto body, const ChosenEvent& event) {
        const auto full = base::format("sparse/{}/voxels:{}", name, event.size);
        return benchmark::RegisterBenchmark(full.c_str(), body, event)
            ->UseRealTime()
            ->Unit(benchmark::kMillisecond);
    };
    const auto add_threads = [&](const char* name, auto body, const ChosenEvent& event) {
        add(name, body, event)->ArgName("threads")->Arg(1)->Arg(2);
    };
    for (const auto& event : {event_of_50k, event_of_196k}) {
        add("maps", all_maps, event);
        add_threads("uresnet_forward", forward<Scheme::own>, event);
        add_threads("uresnet_forward_scn_scheme", forward<Scheme::scn>, event);
        add_threads("uresnet_forward_backward", forward_backward<Scheme::own>, event);
        add_threads("uresnet_forward_backward_scn_scheme", forward_backward<Scheme::scn>, event);
    }
    return bench::add_preface("sparse", [] {
        return base::format("Events: {};\n{}.\n\n", bench::describe_levels(event_of_50k),
                            bench::describe_levels(event_of_196k));
    });
}();

}  // namespace
}  // namespace hodo
