#include "hodo/workflow/om2vec/learn/batch.hh"

#include <cmath>
#include <utility>

#include "hodo/base/error.hh"
#include "hodo/tensor/transfer.hh"

namespace hodo::om2vec {

namespace {

at::Tensor position_matrix(std::span<const optical::Point> positions, at::Device target) {
    auto matrix = at::empty({static_cast<std::int64_t>(positions.size()), 3},
                            tensor::staging(at::kDouble, target));
    double* value = matrix.data_ptr<double>();
    for (const auto& point : positions) value = std::copy(point.begin(), point.end(), value);
    return matrix;
}

}  // namespace

Batch make_batch(const CountView& counts, std::int64_t bins, at::Device device) {
    HODO_DOOR(counts.positions.empty() ||
              static_cast<std::int64_t>(counts.positions.size()) == counts.size());
    const auto begin = counts.offsets.empty() ? 0 : counts.offsets.front();
    const auto entries = counts.offsets.empty() ? 0 : counts.offsets.back() - begin;
    HODO_DOOR(begin + entries <= std::ssize(counts.bins));
    HODO_DOOR(counts.bins.size() == counts.counts.size());
    const auto integers = tensor::staging(at::kLong, device);
    const auto numbers = tensor::staging(at::kDouble, device);
    const auto row = at::empty({entries}, integers), bin = at::empty({entries}, integers);
    const auto count = at::empty({entries}, numbers);
    const auto total = at::empty({counts.size()}, numbers);
    const auto log_factorials = at::empty({counts.size()}, numbers);
    std::int64_t entry = 0;
    std::vector<std::int64_t> offsets{0};
    for (std::int64_t module = 0; module < counts.size(); ++module) {
        const auto m = static_cast<std::size_t>(module);
        double sum = 0.0, factorials = 0.0;
        for (auto i = counts.offsets[m]; i < counts.offsets[m + 1]; ++i, ++entry) {
            const auto place = counts.bins[static_cast<std::size_t>(i)];
            const double photons = counts.counts[static_cast<std::size_t>(i)];
            HODO_CHECK(place >= 0 && place < bins,
                       "module {}: bin {} lies outside 0..{} (the network reads {} bins); bin the "
                       "photons with the network's own geometry",
                       module, place, bins - 1, bins);
            HODO_CHECK(std::isfinite(photons) && photons >= 0.0,
                       "module {}: bin {} holds {} photons (a count must be finite and >= 0); "
                       "check the photon weights of the input",
                       module, place, photons);
            row.data_ptr<std::int64_t>()[entry] = module;
            bin.data_ptr<std::int64_t>()[entry] = place;
            count.data_ptr<double>()[entry] = photons;
            sum += photons;
            factorials += std::lgamma(photons + 1.0);
        }
        offsets.push_back(entry);
        total.data_ptr<double>()[module] = sum;
        log_factorials.data_ptr<double>()[module] = factorials;
    }
    Batch batch{counts.size(),     bins, row, bin, count, total, log_factorials, {},
                std::move(offsets)};
    if (!counts.positions.empty()) batch.position = position_matrix(counts.positions, device);
    return batch.on(device);
}

Batch Batch::on(at::Device device) const {
    auto there = *this;
    for (auto* tensor : {&there.row, &there.bin, &there.count, &there.total, &there.log_factorials,
                         &there.position}) {
        if (tensor->defined()) *tensor = tensor::sent(*tensor, device);
    }
    return there;
}

Batch Batch::part(std::int64_t first, std::int64_t last) const {
    HODO_DOOR(0 <= first && first <= last && last <= modules);
    const auto begin = offsets[static_cast<std::size_t>(first)];
    const auto length = offsets[static_cast<std::size_t>(last)] - begin;
    Batch some{last - first,
               bins,
               row.narrow(0, begin, length) - first,
               bin.narrow(0, begin, length),
               count.narrow(0, begin, length),
               total.narrow(0, first, last - first),
               log_factorials.narrow(0, first, last - first),
               {},
               {}};
    if (position.defined()) some.position = position.narrow(0, first, last - first);
    for (auto i = first; i <= last; ++i) {
        some.offsets.push_back(offsets[static_cast<std::size_t>(i)] - begin);
    }
    return some;
}

void Batch::state(train::Archive& archive) {
    archive("modules", modules);
    archive("bins", bins);
    archive("row", row);
    archive("bin", bin);
    archive("count", count);
    archive("total", total);
    archive("log_factorials", log_factorials);
    archive("position", position);
    archive("offsets", offsets);
}

at::Tensor dense_input(const Batch& batch, at::ScalarType type) {
    const auto flat = batch.row * batch.bins + batch.bin;
    auto x = at::zeros({batch.modules * batch.bins}, batch.count.options());
    return x.index_add(0, flat, at::log1p(batch.count))
        .reshape({batch.modules, batch.bins})
        .to(type);
}

}  // namespace hodo::om2vec
