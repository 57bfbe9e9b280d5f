#include "hodo/sparse/pool.hh"

#include "hodo/base/error.hh"
#include "hodo/sparse/detail/sums.hh"

namespace hodo::sparse {

namespace {

/// The lists of a rulebook; they keep it alive.
RowLists rulebook_lists(const SharedRulebook& book) {
    auto share = [&](const Neighbours& lists) {
        return std::shared_ptr<const Neighbours>(book, &lists);
    };
    return {share(book->neighbours(Direction::there)), share(book->neighbours(Direction::back))};
}

at::Tensor pool_lists(const RowLists& lists, const at::Tensor& x, Pooling pooling,
                      std::int64_t volume) {
    if (pooling == Pooling::largest) return largest_over(lists, x);
    const auto sums = sum_over(lists, x);
    if (pooling == Pooling::mean) return sums / list_lengths(*lists.there, sums);
    if (pooling == Pooling::mean_of_volume) return sums / static_cast<double>(volume);
    return sums;
}

}  // namespace

SparseTensor pool(const SparseTensor& x, Pooling pooling, const ConvSpec& spec) {
    const auto output = x.maps->coarser(x.coordinates, spec.kernel, spec.stride, spec.sites);
    const auto book = x.maps->rulebook(output, x.coordinates, spec.kernel);
    return {output, pool_lists(rulebook_lists(book), x.features, pooling, spec.kernel.volume()),
            x.maps};
}

SparseTensor unpool(const SparseTensor& x, const ConvSpec& spec, const SharedCoordinates& target) {
    const auto book = x.maps->rulebook(x.coordinates, target, spec.kernel);
    return {target, sum_over(rulebook_lists(book).turned(), x.features), x.maps};
}

at::Tensor pool_events(const SparseTensor& x, Pooling pooling) {
    HODO_CHECK(pooling != Pooling::mean_of_volume, "an event has no volume to divide by");
    return pool_lists(event_lists(*x.coordinates), x.features, pooling, 1);
}

at::Tensor spread_events(const SparseTensor& x, const at::Tensor& values) {
    return sum_over(event_lists(*x.coordinates).turned(), values);
}

}  // namespace hodo::sparse
