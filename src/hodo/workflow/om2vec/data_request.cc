#include "hodo/workflow/om2vec/data_request.hh"

#include "hodo/base/error.hh"

namespace hodo::om2vec {

DataRequest training_request(const TrainOptions& options) {
    const auto& data = options.data;
    HODO_CHECK(!data.train.empty(),
               "no training data are named; set data.train to event files or prepared shards");
    const bool hold_out = data.valid.empty();
    return {.inputs = data.train,
            .ranges = data.train_ranges,
            .binning = data.binning,
            .read = data.read,
            .min_modules = data.min_modules,
            .held_out = hold_out ? data.valid_fraction : 0.0,
            .seed = options.seed,
            .part = hold_out ? Part::training : Part::all};
}

DataRequest validation_request(const TrainOptions& options) {
    auto request = training_request(options);
    if (options.data.valid.empty()) {
        request.part = Part::held_out;
    } else {
        request.inputs = options.data.valid;
        request.ranges = options.data.valid_ranges;
    }
    return request;
}

bool has_validation(const TrainOptions& options) {
    return !options.data.valid.empty() || options.data.valid_fraction > 0;
}

}  // namespace hodo::om2vec
