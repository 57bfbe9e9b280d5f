#include "hodo/workflow/om2vec/learn/recipe.hh"

#include "hodo/base/error.hh"
#include "hodo/base/random.hh"
#include "hodo/tensor/weights.hh"
#include "hodo/workflow/om2vec/learn/loss.hh"

#include <algorithm>

namespace hodo::om2vec {

namespace {

/// Modules worked on at a time: about 2 GB of intermediates. 16 for the published network; more for
/// a smaller one, so that threads share fewer and larger sections.
std::int64_t part_size(const ModelOptions& network) {
    constexpr std::int64_t published_modules = 16, published_size = 1024 * 2048;
    const auto size = network.tokens.front() * network.feedforward;
    return std::clamp<std::int64_t>(published_modules * published_size / size, published_modules,
                                    1024);
}

/// Latent noise of validation belongs to no training step.
constexpr std::int64_t validation_step = -1;

Model fresh_model(const TrainOptions& options, at::Device device) {
    Model model(options.model, at::TensorOptions().dtype(at::kFloat).device(device));
    if (options.weights.empty()) {
        model.initialise(options.seed);
    } else {
        const auto file = io::WeightFile::open(options.weights, options.weight_choice);
        tensor::load_parameters(tensor::named_parameters(model), file);
    }
    return model;
}

/// What a sum of divergences is divided by. Means over ranks are weighted by their share of the
/// batch; a sum must come out of them as a sum.
double divergence_count(const Batch& batch, const train::StepContext& context,
                        KlReduction reduction) {
    if (reduction == KlReduction::mean) {
        return static_cast<double>(std::max<std::int64_t>(1, batch.modules));
    }
    return context.share > 0 ? context.share : 1.0;
}

/// Sums over modules of a batch, as numbers.
struct Sums {
    double reconstruction = 0, kl = 0;

    train::Scalars scalars(std::int64_t modules, double beta, double kl_count) const {
        const double count = static_cast<double>(std::max<std::int64_t>(1, modules));
        const double reduced = kl / kl_count;
        return {{"loss", reconstruction / count + beta * reduced},
                {"reco", reconstruction / count},
                {"kl", reduced}};
    }
};

}  // namespace

VaeRecipe::VaeRecipe(const TrainOptions& options, at::Device device)
    : options_(options),
      model_(fresh_model(options, device)),
      learner_("vae", tensor::named_parameters(model_), options.learner) {
    if (!options.optimizer_state) return;
    const auto file = io::WeightFile::open(options.weights);
    HODO_CHECK(file.optimizer_count() > 0,
               "{}: holds no optimizer state (it has weights only); set optimizer_state to false",
               options.weights);
    learner_.adopt(file.optimizer());
}

train::Step VaeRecipe::train(const Batch& batch, const train::StepContext& context) {
    const auto& beta_schedule = options_.loss.beta;
    const double beta = beta_schedule.value(
        context.step, beta_schedule.steps_to_peak(context.dataset_size, context.batch_size));
    const double count = static_cast<double>(std::max<std::int64_t>(1, batch.modules));
    const double kl_count = divergence_count(batch, context, options_.loss.kl_reduction);
    Sums sums;
    train::Update update;
    const auto step = part_size(options_.model);
    for (std::int64_t first = 0; first < batch.modules; first += step) {
        const auto last = std::min(first + step, batch.modules);
        const auto part = batch.part(first, last).on(model_.mem_embedding.device());
        auto pass = make_pass(model_, nn::Mode::train);
        pass.key = base::stream_key(context.seed, "dropout");
        pass.step = static_cast<std::uint32_t>(context.step);
        pass.first_entry = context.first_example + first;
        pass.precision = learner_.precision();
        const auto eps = latent_noise(context.seed, context.step, context.first_example + first,
                                      last - first, options_.model.latent, model_.type())
                             .to(model_.mem_embedding.device());
        const auto output = model_.forward(part, eps, pass);
        const auto reconstruction = negative_log_likelihood(output.logits, part).sum();
        const auto kl = kl_divergence(output.latent).sum();
        sums.reconstruction += reconstruction.item<double>();
        sums.kl += kl.item<double>();
        const auto loss = reconstruction / count + kl * (beta / kl_count);
        if (last < batch.modules) {
            learner_.gather(loss, context);
        } else {
            update = learner_.update(loss, context);
        }
    }
    auto scalars = sums.scalars(batch.modules, beta, kl_count);
    scalars.set("beta", beta);
    scalars.set("rate", update.rate);
    scalars.set("gradient_norm", update.gradient_norm);
    return {.scalars = scalars, .examples = batch.modules};
}

train::Step VaeRecipe::validate(const Batch& batch, const train::StepContext& context) {
    const train::AveragedWeights averaged(learner_);
    const auto& beta_schedule = options_.loss.beta;
    const double beta = beta_schedule.value(
        context.step, beta_schedule.steps_to_peak(context.dataset_size, context.batch_size));
    Sums sums;
    double distance = 0;
    const auto step = part_size(options_.model);
    for (std::int64_t first = 0; first < batch.modules; first += step) {
        const auto last = std::min(first + step, batch.modules);
        const auto part = batch.part(first, last).on(model_.mem_embedding.device());
        auto pass = make_pass(model_, nn::Mode::evaluate);
        const auto eps = latent_noise(context.seed, validation_step, context.first_example + first,
                                      last - first, options_.model.latent, model_.type())
                             .to(model_.mem_embedding.device());
        const auto output = model_.forward(part, eps, pass);
        sums.reconstruction += negative_log_likelihood(output.logits, part).sum().item<double>();
        sums.kl += kl_divergence(output.latent).sum().item<double>();
        distance += jensen_shannon_distance(output.logits, part).sum().item<double>();
    }
    auto scalars = sums.scalars(batch.modules, beta,
                                divergence_count(batch, context, options_.loss.kl_reduction));
    scalars.set("js", distance / static_cast<double>(std::max<std::int64_t>(1, batch.modules)));
    return {.scalars = scalars, .examples = batch.modules};
}

}  // namespace hodo::om2vec
