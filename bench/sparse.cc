/// Times of sparse layers and of a sparse U-Net, beside SparseConvNet's scheme in the same program.
///
///     hodo_bench --benchmark_filter=sparse/ --benchmark_repetitions=5
///
/// `scn_scheme` rows are the same network and maps with each convolution as a gather, a product of
/// matrices and a scatter per kernel cell; see scn_scheme.hh. Voxels: ghosts.hh.

#include "ghosts.hh"
#include "hodo/base/threads.hh"
#include "hodo/sparse/products.hh"
#include "hodo/tensor/device.hh"
#include "scn_scheme.hh"

#include <benchmark/benchmark.h>

namespace hodo {
namespace {

using sparse::Direction;
using sparse::SharedCoordinates;

/// An event of so many tracks, rows in random order.
const std::vector<sparse::Voxel>& event(int tracks) {
    static std::map<int, std::vector<sparse::Voxel>> events;
    auto& voxels = events[tracks];
    if (voxels.empty()) {
        voxels = bench::ghost_event(tracks, 11);
        base::Random random(3, "order");
        for (std::size_t i = voxels.size(); i > 1; --i) {
            std::swap(voxels[i - 1], voxels[random.below(i)]);
        }
    }
    return voxels;
}

SharedCoordinates coordinates(int tracks) {
    static std::map<int, SharedCoordinates> known;
    auto& found = known[tracks];
    if (!found) found = sparse::group_rows(event(tracks)).voxels;
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
void all_maps(benchmark::State& state) {
    use_threads(1);
    const auto& rows = event(static_cast<int>(state.range(0)));
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
BENCHMARK(all_maps)->Name("sparse/maps")->Arg(72)->Arg(135)->Unit(benchmark::kMillisecond);

void depthwise_maps(benchmark::State& state) {
    use_threads(1);
    auto voxels = event(72);
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

template <MapState maps>
void one_convolution(benchmark::State& state) {
    use_threads(state.range(1));
    const std::int64_t channels = state.range(0);
    const auto level = coordinates(72);
    const auto kernel = sparse::submanifold({3, 3, 3}).kernel;
    const auto x = numbers(level->size() * channels), w = numbers(27 * channels * channels);
    std::vector<float> y(x.size());
    const sparse::Rulebook known(level, level, kernel);
    const auto run = [&](const sparse::Rulebook& book) {
        sparse::convolve(book, Direction::there, {x.data(), channels},
                         sparse::CellMaps<float>{w.data(), channels * channels, channels, channels},
                         {y.data(), channels});
    };
    run(known);
    for (auto _ : state) {
        if constexpr (maps == MapState::fresh) {
            run(sparse::Rulebook(level, level, kernel));
        } else {
            run(known);
        }
        benchmark::DoNotOptimize(y.data());
    }
    count_voxels(state, level->size());
    state.counters["GFLOP/s"] = benchmark::Counter(
        2e-9 * static_cast<double>(known.neighbours().entries.size()) *
            static_cast<double>(channels * channels) * static_cast<double>(state.iterations()),
        benchmark::Counter::kIsRate);
    use_threads(1);
}
BENCHMARK(one_convolution<MapState::fresh>)
    ->Name("sparse/conv_3x3x3_fresh")
    ->ArgNames({"channels", "threads"})
    ->ArgsProduct({{16, 32, 64}, {1, 2}})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK(one_convolution<MapState::cached>)
    ->Name("sparse/conv_3x3x3_cached")
    ->ArgNames({"channels", "threads"})
    ->ArgsProduct({{16, 32, 64}, {1, 2}})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

enum class Scheme { own, scn };

nn::UResNet make_net() {
    nn::UResNet net({});
    net.initialise(base::Random(1, "net"));
    return net;
}

sparse::Input make_input(int tracks) {
    const auto& rows = event(tracks);
    const auto count = static_cast<std::int64_t>(rows.size());
    auto table = at::empty({count, 4}, at::kInt);
    auto* c = table.data_ptr<std::int32_t>();
    for (const auto& v : rows) {
        for (const auto value : {v.batch, v.x, v.y, v.z}) *c++ = value;
    }
    static std::map<int, at::Tensor> features;
    auto& x = features[tracks];
    if (!x.defined()) x = at::tensor(numbers(count * 3)).reshape({count, 3});
    return sparse::from_rows(table, x);
}

/// Maps are made anew in every pass, as for every batch of a training.
template <Scheme scheme>
void forward(benchmark::State& state) {
    auto net = make_net();
    use_threads(state.range(1));
    const at::NoGradGuard no_gradients;
    std::int64_t voxels = 0;
    for (auto _ : state) {
        const auto input = make_input(static_cast<int>(state.range(0)));
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
void forward_backward(benchmark::State& state) {
    auto net = make_net();
    use_threads(state.range(1));
    std::int64_t voxels = 0;
    for (auto _ : state) {
        const auto input = make_input(static_cast<int>(state.range(0)));
        const auto y = scheme == Scheme::own
                           ? net(input.tensor, nn::Mode::train)
                           : bench::SchemeUResNet(net, nn::Mode::train)(input.tensor);
        sparse::to_rows(y, input).square().mean().backward();
        voxels = y.voxels();
    }
    count_voxels(state, voxels);
    use_threads(1);
}

void events_and_threads(benchmark::internal::Benchmark* b) {
    b->ArgNames({"tracks", "threads"})
        ->ArgsProduct({{72, 135}, {1, 2}})
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond);
}
BENCHMARK(forward<Scheme::own>)->Name("sparse/uresnet_forward")->Apply(events_and_threads);
BENCHMARK(forward<Scheme::scn>)
    ->Name("sparse/uresnet_forward_scn_scheme")
    ->Apply(events_and_threads);
BENCHMARK(forward_backward<Scheme::own>)
    ->Name("sparse/uresnet_forward_backward")
    ->Apply(events_and_threads);
BENCHMARK(forward_backward<Scheme::scn>)
    ->Name("sparse/uresnet_forward_backward_scn_scheme")
    ->Apply(events_and_threads);

}  // namespace
}  // namespace hodo
