/// Times of the maps of sparse layers and of single layers, on the event of 50k voxels.
///
///     hodo_bench --benchmark_filter=sparse/conv --benchmark_repetitions=5

#include "hodo/sparse/conv.hh"
#include "hodo/sparse/products.hh"
#include "sparse_setting.hh"
#include "table.hh"

namespace hodo {
namespace {

using bench::ChosenEvent;
using bench::count_voxels;
using bench::event_of_196k;
using bench::event_of_50k;
using bench::random_numbers;
using bench::simulated_voxels;
using bench::use_threads;
using sparse::Direction;
using sparse::SharedCoordinates;

SharedCoordinates coordinates(const ChosenEvent& event) {
    static std::map<std::string, SharedCoordinates> known;
    auto& found = known[event.size];
    if (!found) found = sparse::group_rows(simulated_voxels(event)).voxels;
    return found;
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
    const auto x = random_numbers(sources * in), w = random_numbers(book.cells() * in * out);
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
    const auto x = random_numbers(rows * in), g = random_numbers(rows * out);
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

[[maybe_unused]] const bool registered = [] {
    const auto add = [](const ChosenEvent& event) {
        const auto name = base::format("sparse/maps/voxels:{}", event.size);
        benchmark::RegisterBenchmark(name.c_str(), all_maps, event)
            ->UseRealTime()
            ->Unit(benchmark::kMillisecond);
    };
    add(event_of_50k);
    add(event_of_196k);
    const auto row = [](const char* what, const char* name, double goal) -> bench::Row {
        return {.what = what,
                .benchmark = name,
                .unit = "voxels/s",
                .figure = "voxels/s",
                .goal = bench::Goal{goal}};
    };
    return bench::add_rows(
        "sparse",
        {row("all maps of the network from unordered rows, 50k voxels, 1 thread",
             "sparse/maps/voxels:50k", 1e6),
         row("all maps of the network from unordered rows, 196k voxels, 1 thread",
             "sparse/maps/voxels:196k", 1e6),
         row("one 3 x 3 x 3 layer, 32 to 32 channels, maps made anew, 50k voxels, 1 thread",
             "sparse/conv_3x3x3_fresh/in:32/out:32/threads:1", 1.5e6),
         row("the same, maps known", "sparse/conv_3x3x3_cached/in:32/out:32/threads:1", 1.8e6),
         {.what = "maps of a 7 x 7 x 7 layer, 16k voxels, 1 thread",
          .benchmark = "sparse/maps_7x7x7",
          .unit = "ms",
          .smaller_is_better = true,
          .figure = "milliseconds",
          .goal = bench::Goal{25}}});
}();

}  // namespace
}  // namespace hodo
