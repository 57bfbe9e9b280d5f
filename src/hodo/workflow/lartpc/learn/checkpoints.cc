#include "hodo/workflow/lartpc/learn/checkpoints.hh"

#include <algorithm>
#include <cmath>
#include <map>

#include "hodo/base/error.hh"
#include "hodo/io/plain_checkpoint.hh"
#include "hodo/tensor/weights.hh"

namespace hodo::lartpc {

namespace {

constexpr std::string_view folder_name = "checkpoints";
constexpr std::string_view prefix = "checkpoint_", ending = ".pth.tar";

/// Position of each name among those of the original's optimizer.
std::map<std::string, std::int64_t> places_of(CellNet& model) {
    std::map<std::string, std::int64_t> places;
    for (const auto& parameter : model.trainable_parameters()) {
        places.emplace(parameter.name, std::ssize(places));
    }
    return places;
}

io::Json group_of(const train::OptimizerOptions& options, double rate, std::int64_t parameters) {
    auto group = io::Json::object();
    group["lr"] = rate;
    if (options.kind == train::OptimizerKind::sgd) {
        group["momentum"] = options.momentum;
        group["dampening"] = std::int64_t{0};
        group["weight_decay"] = options.weight_decay;
        group["nesterov"] = false;
    } else {
        auto betas = io::Json::list();
        betas.push(options.beta1);
        betas.push(options.beta2);
        group["betas"] = betas;
        group["eps"] = options.epsilon;
        group["weight_decay"] = options.weight_decay;
        group["amsgrad"] = false;
        group["capturable"] = false;
    }
    for (const auto* flag : {"foreach", "fused"}) group[flag] = io::Json();
    for (const auto* flag : {"maximize", "differentiable"}) group[flag] = false;
    auto numbers = io::Json::list();
    for (std::int64_t i = 0; i < parameters; ++i) numbers.push(i);
    group["params"] = numbers;
    return group;
}

/// ReduceLROnPlateau's own state dictionary.
io::Json scheduler_of(const train::Schedule& schedule, const train::LearnerOptions& options,
                      double rate) {
    const auto known = schedule.plateau();
    const auto& o = options.schedule;
    auto state = io::Json::object();
    state["factor"] = o.factor;
    auto least = io::Json::list(), last = io::Json::list();
    least.push(o.floor * options.optimizer.rate);
    last.push(rate);
    state["min_lrs"] = least;
    state["patience"] = std::int64_t{o.patience};
    state["verbose"] = false;
    state["cooldown"] = std::int64_t{0};
    state["cooldown_counter"] = std::int64_t{0};
    state["mode"] = o.better == train::Better::larger ? "max" : "min";
    state["threshold"] = o.threshold;
    state["threshold_mode"] = "rel";
    state["best"] = known.best;
    state["num_bad_epochs"] = known.waited;
    state["eps"] = 1e-8;
    state["last_epoch"] = known.validations;
    state["_last_lr"] = last;
    return state;
}

}  // namespace

std::optional<std::int64_t> epoch_of_checkpoint(const base::Path& file) {
    const auto name = file.filename().string();
    if (!name.starts_with(prefix) || !name.ends_with(ending)) return {};
    return base::parse_int(
        std::string_view(name).substr(prefix.size(), name.size() - prefix.size() - ending.size()));
}

base::Path checkpoint_file(const base::Path& run, std::int64_t epoch) {
    return run / folder_name / base::format("{}{:03d}{}", prefix, epoch, ending);
}

std::optional<EpochCheckpoint> newest_checkpoint(const base::Path& run) {
    std::optional<EpochCheckpoint> newest;
    if (!std::filesystem::is_directory(run / folder_name)) return newest;
    for (const auto& entry : std::filesystem::directory_iterator(run / folder_name)) {
        const auto epoch = epoch_of_checkpoint(entry.path());
        if (epoch && (!newest || *epoch > newest->epoch)) newest = {entry.path(), *epoch};
    }
    return newest;
}

void write_epoch_checkpoint(const base::Path& file, CellNet& model, const train::Learner& learner,
                            const train::LearnerOptions& options, double rate) {
    const auto places = places_of(model);
    auto optimizer = learner.optimizer_state();
    for (auto& slot : optimizer.slots) {
        const auto own = static_cast<std::size_t>(slot.parameter);
        slot.parameter = places.at(learner.parameters()[own].name);
    }
    optimizer.groups.push(group_of(options.optimizer, rate, std::ssize(places)));
    io::Checkpoint checkpoint{tensor::parameter_arrays(tensor::named_parameters(model)),
                              io::Json::object(),
                              {optimizer},
                              {}};
    if (options.schedule.kind == train::ScheduleKind::plateau) {
        checkpoint.metadata["scheduler"] = scheduler_of(learner.schedule(), options, rate);
    }
    io::write_plain_checkpoint(file, checkpoint);
}

void adopt_optimizer(train::Learner& learner, CellNet& model, const io::WeightFile& file,
                     double rate) {
    HODO_CHECK(file.optimizer_count() > 0,
               "{}: holds no optimizer state (it has weights only); set optimizer_state to false",
               file.path());
    auto stored = file.optimizer();
    const auto places = places_of(model);
    std::map<std::int64_t, std::int64_t> own;
    for (const auto& parameter : learner.parameters()) {
        own.emplace(places.at(parameter.name), std::ssize(own));
    }
    HODO_CHECK(stored.slots.empty() || stored.slots.back().parameter < std::ssize(places),
               "{}: its optimizer has a parameter {} but the network has {}; is it a checkpoint of "
               "this network?",
               file.path(), stored.slots.back().parameter, places.size());
    std::erase_if(stored.slots, [&](const auto& slot) { return !own.contains(slot.parameter); });
    for (auto& slot : stored.slots) slot.parameter = own.at(slot.parameter);
    learner.adopt(stored);
    if (!file.metadata().is_object() || !file.metadata().has("scheduler")) return;
    const auto& scheduler = file.metadata().at("scheduler");
    const auto& groups = stored.groups.items();
    if (!scheduler.has("best") || !scheduler.at("best").is_number() || groups.empty()) return;
    learner.schedule().adopt({.factor = groups.front().at("lr").number() / rate,
                              .best = scheduler.at("best").number(),
                              .validations = 0,
                              .waited = scheduler.at("num_bad_epochs").integer()});
}

}  // namespace hodo::lartpc
