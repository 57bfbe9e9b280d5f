/// Going on with the optimizer of a recorded Lightning checkpoint.

#include <fstream>

#include "golden_case.hh"
#include "hodo/io/weights.hh"
#include "hodo/tensor/view.hh"
#include "hodo/train/archive.hh"
#include "hodo/train/optimizer.hh"
#include "hodo/workflow/om2vec/learn/recipe.hh"

namespace hodo::om2vec {
namespace {

/// The network's options as the shapes in the file tell them.
ModelOptions options_of(const io::WeightFile& file) {
    return infer_options(workflow::shapes_of(file), "checkpoint");
}

TEST(AdoptedOptimizer, has_the_moments_of_the_checkpoint_parameter_by_parameter) {
    const auto files = test::reference_files("om2vec", "*.ckpt.gz");
    HODO_REQUIRE_REFERENCE(files, "om2vec/*.ckpt.gz");
    for (const auto& packed : files) {
        std::cout << "checkpoint " << packed.filename().string() << "\n";
        const test::TemporaryFolder folder;
        std::ofstream(folder / "original.ckpt", std::ios::binary) << test::gunzip(packed);
        const auto file = io::WeightFile::open(folder / "original.ckpt");
        if (file.optimizer_count() == 0) continue;
        Model model(options_of(file));
        const auto parameters = tensor::named_parameters(model);
        train::Optimizer optimizer(parameters, {.kind = train::OptimizerKind::adam});
        optimizer.adopt(file.optimizer());
        auto archive = train::Archive::to_save();
        optimizer.state(archive);
        auto stored = train::Archive::to_load(archive);
        const auto state = file.optimizer();
        ASSERT_EQ(state.slots.size(), parameters.size());
        for (const auto& slot : state.slots) {
            const auto& parameter = parameters[static_cast<std::size_t>(slot.parameter)];
            auto first = at::zeros_like(*parameter.tensor), second = at::zeros_like(first);
            stored("first." + parameter.name, first);
            stored("second." + parameter.name, second);
            EXPECT_EQ(tensor::to_array(first).doubles(), slot.moment("exp_avg").doubles());
            EXPECT_EQ(tensor::to_array(second).doubles(), slot.moment("exp_avg_sq").doubles());
        }
        // The optimizer numbers parameters in the order in which the file lists them.
        std::vector<std::string> names;
        for (const auto& entry : file.entries()) {
            const bool is_parameter =
                std::any_of(parameters.begin(), parameters.end(),
                            [&](const auto& parameter) { return parameter.name == entry.name; });
            if (is_parameter) names.push_back(entry.name);
        }
        for (std::size_t i = 0; i < parameters.size(); ++i) EXPECT_EQ(parameters[i].name, names[i]);
        // A training that asks for it starts so.
        TrainOptions options;
        options.model = options_of(file);
        options.weights = (folder / "original.ckpt").string();
        options.optimizer_state = true;
        options.learner.optimizer.kind = train::OptimizerKind::adam;
        VaeRecipe recipe(options, at::kCPU);
        auto begun = train::Archive::to_save();
        recipe.learner().state(begun);
        auto learner = train::Archive::to_load(begun);
        const auto& last = state.slots.back();
        const auto& parameter = parameters[static_cast<std::size_t>(last.parameter)];
        auto first = at::zeros_like(*parameter.tensor);
        learner("optimizer.first." + parameter.name, first);
        EXPECT_EQ(tensor::to_array(first).doubles(), last.moment("exp_avg").doubles());
    }
}

}  // namespace
}  // namespace hodo::om2vec
