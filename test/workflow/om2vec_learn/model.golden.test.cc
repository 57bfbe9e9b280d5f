#include "golden_case.hh"
#include "hodo/base/random.hh"
#include "hodo/base/text.hh"
#include "hodo/train/optimizer.hh"
#include "hodo/workflow/om2vec/beta_schedule.hh"

#include <deque>

namespace hodo::om2vec {
namespace {

using test::GoldenCase;

constexpr double forward_tolerance = 2e-5;  // float32 sums of up to 6,400 terms, 7 layers deep

class GoldenCases : public ::testing::Test {
  protected:
    void SetUp() override {
        files_ = test::golden_files();
        HODO_REQUIRE_REFERENCE(files_, "om2vec/golden_*.npz");
    }
    std::vector<base::Path> files_;
};

// Suites are separate entries of ctest, each with its own time limit.
class GoldenForward : public GoldenCases {};
class GoldenGradients : public GoldenCases {};
class GoldenTraining : public GoldenCases {};

TEST_F(GoldenForward, weights_by_the_hash_rule_have_the_recorded_sums_and_norms) {
    for (const auto& file : files_) {
        const GoldenCase golden(file);
        auto model = golden.model();
        const auto parameters = tensor::named_parameters(model);
        const auto names = golden.text("param_names");
        const auto sums = golden.array("param_sum_f64").doubles();
        const auto norms = golden.array("param_norm_f64").doubles();
        ASSERT_EQ(parameters.size(), names.size());
        for (std::size_t i = 0; i < names.size(); ++i) {
            const auto values = parameters[i].tensor->detach().to(at::kDouble);
            EXPECT_EQ(parameters[i].name, names[i]);
            EXPECT_NEAR(values.sum().item<double>(), sums[i], 1e-9 * (1.0 + std::abs(sums[i])));
            EXPECT_NEAR(values.norm().item<double>(), norms[i], 1e-12 * norms[i]) << names[i];
        }
    }
}

TEST_F(GoldenForward, shapes_of_parameters_give_back_the_options) {
    for (const auto& file : files_) {
        const GoldenCase golden(file);
        auto model = golden.model();
        std::vector<workflow::NamedShape> shapes;
        for (const auto& [name, tensor] : tensor::named_parameters(model)) {
            shapes.push_back({name, tensor->sizes().vec()});
        }
        EXPECT_EQ(infer_options(shapes, "memory"), golden.options());
    }
}

TEST_F(GoldenForward, latents_and_logits_agree_in_float32_and_float64) {
    for (const auto& file : files_) {
        const GoldenCase golden(file);
        for (const auto type : {at::kFloat, at::kDouble}) {
            const at::NoGradGuard no_gradients;
            const auto model = golden.model(type);
            auto pass = make_pass(model, nn::Mode::evaluate);
            pass.engine = nn::Engine::plain;
            const auto output = model.forward(golden.batch(), golden.tensor("eps", type), pass);
            const double tolerance = type == at::kFloat ? forward_tolerance : 1e-6;
            const auto difference = [&](const at::Tensor& actual, const std::string& name) {
                return test::relative_to_largest(actual, golden.tensor(name, at::kDouble));
            };
            EXPECT_LE(difference(output.latent.mean, "mu_f64"), tolerance);
            EXPECT_LE(difference(output.latent.log_variance, "logvar_f64"), tolerance);
            EXPECT_LE(difference(output.sample, "z_f64"), tolerance);
            EXPECT_LE(difference(output.logits, "logits_f64"), tolerance);
            const auto decoded = model.decode(golden.tensor("z_in", type), pass);
            EXPECT_LE(difference(decoded, "dec_logits_f64"), tolerance);
        }
    }
}

TEST_F(GoldenForward, stages_agree_with_recorded_activations) {
    for (const auto& file : files_) {
        const GoldenCase golden(file);
        if (!golden.has("act_initial_downsample")) continue;
        const at::NoGradGuard no_gradients;
        const auto model = golden.model();
        auto pass = make_pass(model, nn::Mode::evaluate);
        const auto s = model.first_map(golden.batch(), pass);
        EXPECT_LE(test::relative_to_largest(s[0], golden.tensor("act_initial_downsample")),
                  forward_tolerance);
        const auto h = model.encoder_tokens(s, pass);
        const auto mapped = model.encoder.back().downsample.along_tokens(h, pass);
        EXPECT_LE(test::relative_to_largest(mapped[0], golden.tensor("act_enc2_down")),
                  forward_tolerance);
        EXPECT_LE(test::relative_to_largest(model.latent_output(mapped[0], pass).squeeze(-1),
                                            golden.tensor("act_latent_output")),
                  forward_tolerance);
    }
}

TEST_F(GoldenForward, loss_and_probabilities_agree) {
    for (const auto& file : files_) {
        const GoldenCase golden(file);
        const at::NoGradGuard no_gradients;
        const auto model = golden.model();
        auto pass = make_pass(model, nn::Mode::evaluate);
        const auto batch = golden.batch();
        const auto output = model.forward(batch, golden.tensor("eps"), pass);
        const auto probability = at::softmax(output.logits, -1);
        EXPECT_LE((probability.sum(-1) - 1.0).abs().max().item<double>(), 1e-5);
        const auto result = loss(output, batch, 1e-5, KlReduction::sum);
        const auto nll = golden.tensor("nll_f64", at::kDouble);
        EXPECT_LE(((result.nll - nll) / nll).abs().max().item<double>(), 1e-5);
        const double kl = golden.scalar("kl_sum_f64");
        EXPECT_NEAR(result.kl.item<double>(), kl, 1e-5 * std::abs(kl));
        const double total = golden.scalar("loss_beta1e-5_f64");
        EXPECT_NEAR(result.total.item<double>(), total, 1e-5 * std::abs(total));
    }
}

TEST_F(GoldenForward, jensen_shannon_distances_agree) {
    for (const auto& file : files_) {
        const GoldenCase golden(file);
        const at::NoGradGuard no_gradients;
        const auto model = golden.model();
        auto pass = make_pass(model, nn::Mode::evaluate);
        const auto batch = golden.batch();
        const auto output = model.forward(batch, golden.tensor("eps"), pass);
        const auto distance = jensen_shannon_distance(output.logits, batch);
        const auto recorded = golden.tensor("js_distance", at::kDouble);
        EXPECT_LE((distance - recorded).abs().max().item<double>(), 1e-6);
    }
}

/// Gradients of the recorded loss, by parameter; the recorded noise times `factor`.
std::vector<at::Tensor> gradients(const GoldenCase& golden, nn::Engine engine, double factor) {
    auto model = golden.model();
    auto pass = make_pass(model, nn::Mode::train);
    pass.dropout = 0.0;
    pass.engine = engine;
    const auto batch = golden.batch();
    const auto eps = golden.tensor("eps") * factor;
    const auto count = static_cast<double>(batch.modules);
    for (std::int64_t module = 0; module < batch.modules; ++module) {
        const auto part = batch.part(module, module + 1);
        const auto output = model.forward(part, eps.narrow(0, module, 1), pass);
        const auto result = loss(output, part, 1e-5 * count, KlReduction::sum).total;
        (result / count).backward();
    }
    const auto names = golden.text("param_names");
    const auto parameters = tensor::named_parameters(model);
    std::vector<at::Tensor> found;
    for (std::size_t i = 0; i < names.size(); ++i) {
        EXPECT_EQ(parameters[i].name, names[i]);
        found.push_back(parameters[i].tensor->grad().to(at::kDouble));
    }
    return found;
}

/// A ReLU whose input lies within rounding of zero falls to the other side with another product of
/// matrices, as OpenBLAS's for Skylake-X here, and one unit moves the norm of a bias before the
/// decoder, whose gradients nearly cancel, by 0.7 %. Where a norm is apart it is asked again with
/// noise changed by 1e-5, which moves smooth gradients far less than the tolerance. What is wrong
/// is wrong in all.
bool is_near_beside_the_kink(const GoldenCase& golden, nn::Engine engine, std::size_t i,
                             double recorded, double tolerance) {
    for (const double factor : {1.0 + 1e-5, 1.0 - 1e-5}) {
        const double norm = gradients(golden, engine, factor)[i].norm().item<double>();
        std::cout << "with noise changed by 1e-5 the norm is " << norm << ", recorded " << recorded
                  << std::endl;
        if (std::abs(norm - recorded) <= tolerance) return true;
    }
    return false;
}

/// Gradients against the recorded norms and directions.
void expect_recorded_gradients(const GoldenCase& golden, nn::Engine engine) {
    const auto found = gradients(golden, engine, 1.0);
    const auto names = golden.text("param_names");
    const auto norms = golden.array("grad_norm_f64").doubles();
    const double largest = *std::max_element(norms.begin(), norms.end());
    for (std::size_t i = 0; i < names.size(); ++i) {
        const auto& gradient = found[i];
        const double norm = gradient.norm().item<double>();
        // The softmax does not feel a common shift of the logits: the true gradient is 0.
        const bool vanishes = names[i] == "output.bias" || norms[i] <= 1e-6 * largest;
        const double tolerance = vanishes ? 1e-5 * largest : 5e-3 * norms[i];
        EXPECT_TRUE(std::abs(norm - norms[i]) <= tolerance ||
                    is_near_beside_the_kink(golden, engine, i, norms[i], tolerance))
            << names[i] << ": " << norm << " instead of " << norms[i];
        if (!golden.has("grad64/" + names[i])) continue;
        const auto expected = golden.tensor("grad64/" + names[i], at::kDouble);
        const double cosine = (gradient.reshape({-1}).dot(expected.reshape({-1})) /
                               (gradient.norm() * expected.norm()))
                                  .item<double>();
        EXPECT_GT(cosine, 0.99999) << names[i];
    }
}

TEST_F(GoldenGradients, through_the_kernels_agree_parameter_by_parameter) {
    for (const auto& file : files_) expect_recorded_gradients(GoldenCase(file), nn::Engine::fused);
}

TEST_F(GoldenGradients, through_plain_operations_agree_parameter_by_parameter) {
    for (const auto& file : files_) expect_recorded_gradients(GoldenCase(file), nn::Engine::plain);
}

/// A network in training as recorded: whole batch at every step, dropout off, given noise, AdamW,
/// clipping at 0.1, 8 steps to the peak of beta.
class RecordedTraining {
  public:
    RecordedTraining(const GoldenCase& golden, at::ScalarType type)
        : model_(golden.model(type)),
          parameters_(tensor::named_parameters(model_)),
          optimizer_(parameters_, options()),
          batch_(golden.batch()),
          eps_(golden.tensor("train_eps", type)) {}

    /// Moves every weight by up to one part in ten million, about a rounding of float32.
    void disturb(std::uint64_t seed) {
        const at::NoGradGuard no_gradients;
        base::Random random(seed, "roundings");
        for (const auto& [name, tensor] : parameters_) {
            auto* values = tensor->data_ptr<float>();
            for (std::int64_t i = 0; i < tensor->numel(); ++i) {
                values[i] *= static_cast<float>(1.0 + 1e-7 * (2.0 * random.uniform() - 1.0));
            }
        }
    }

    struct Step {
        double beta, loss, reconstruction, kl, gradient_norm;
    };
    Step step(std::int64_t index) {
        for (const auto& parameter : parameters_) parameter.tensor->mutable_grad() = at::Tensor();
        Step result{schedule.value(index, 8), 0, 0, 0, 0};
        // Module by module: in double precision a whole batch of weights does not fit the cache.
        for (std::int64_t module = 0; module < batch_.modules; ++module) {
            auto pass = make_pass(model_, nn::Mode::train);
            pass.dropout = 0.0;
            const auto part = batch_.part(module, module + 1);
            const auto output = model_.forward(part, eps_[index].narrow(0, module, 1), pass);
            const auto reconstruction =
                negative_log_likelihood(output.logits, part).sum() / batch_.modules;
            const auto kl = kl_divergence(output.latent).sum();
            (reconstruction + kl * result.beta).backward();
            result.reconstruction += reconstruction.item<double>();
            result.kl += kl.item<double>();
        }
        result.loss = result.reconstruction + result.beta * result.kl;
        result.gradient_norm = train::gradient_norm(parameters_);
        optimizer_.step(options().rate, train::clip_factor(result.gradient_norm, 0.1));
        return result;
    }
    const std::vector<tensor::NamedParameter>& parameters() const { return parameters_; }
    static constexpr BetaSchedule schedule{BetaRule::om2vec, 1e-5, 1};

  private:
    static train::OptimizerOptions options() {
        train::OptimizerOptions chosen;
        chosen.rate = 1e-3;
        return chosen;
    }
    Model model_;
    std::vector<tensor::NamedParameter> parameters_;
    train::Optimizer optimizer_;
    Batch batch_;
    at::Tensor eps_;
};

// The recorded run is float32, and its steps magnify rounding: Adam's first steps are sign-like. So
// the float64 run is compared, and beside it run float32 trainings from weights that differ by
// roundings: from the step on at which any of them has left the float64 run by a tenth of the
// tolerance, rounding decides.
TEST_F(GoldenTraining, steps_follow_the_recorded_table_until_rounding_decides) {
    for (const auto& file : files_) {
        const GoldenCase golden(file);
        RecordedTraining exact(golden, at::kDouble), rounded(golden, at::kFloat);
        std::deque<RecordedTraining> disturbed;  // they must not move
        for (const std::uint64_t seed : {1, 2}) {
            disturbed.emplace_back(golden, at::kFloat).disturb(seed);
        }
        double distance = 0;
        const auto table = golden.tensor("train_table", at::kDouble);
        ASSERT_EQ(golden.text("train_columns"),
                  (std::vector<std::string>{"beta_used", "loss", "reco_loss", "kl_loss",
                                            "beta_after", "grad_norm_before_clip"}));
        ASSERT_EQ(golden.text("train_param_names"), golden.text("param_names"));
        for (std::int64_t step = 0; step < table.size(0); ++step) {
            const auto ours = exact.step(step), beside = rounded.step(step);
            distance = std::max(distance, std::abs(beside.loss / ours.loss - 1.0));
            for (auto& training : disturbed) {
                const double loss = training.step(step).loss;
                distance = std::max(distance, std::abs(loss / ours.loss - 1.0));
            }
            if (step > 1 && distance > 1e-3) {
                std::cout << "at step " << step << " float32 is off by " << distance << '\n';
                break;
            }
            const auto recorded = [&](int column) { return table[step][column].item<double>(); };
            const auto expect_close = [&](double actual, double expected, double tolerance) {
                EXPECT_NEAR(actual, expected, tolerance * std::abs(expected)) << "step " << step;
            };
            const double tolerance = step <= 1 ? 1e-3 : 1e-2;
            EXPECT_NEAR(ours.beta, recorded(0), 1e-12);
            EXPECT_NEAR(RecordedTraining::schedule.value(step + 1, 8), recorded(4), 1e-12);
            expect_close(ours.loss, recorded(1), tolerance);
            expect_close(ours.reconstruction, recorded(2), tolerance);
            expect_close(ours.kl, recorded(3), tolerance);
            if (step == 0) {
                expect_close(ours.gradient_norm, recorded(5), 1e-3);
                expect_close(beside.loss, recorded(1), 1e-5);
                expect_close(beside.gradient_norm, recorded(5), 1e-3);
                const auto norms = golden.array("train_step0/param_norm").doubles();
                for (std::size_t i = 0; i < norms.size(); ++i) {
                    const auto& [name, tensor] = exact.parameters()[i];
                    if (name == "output.bias") continue;  // moved by rounding alone
                    // One element of typical size may step the other way: its gradient vanishes.
                    const double one = 2e-3 / std::sqrt(static_cast<double>(tensor->numel()));
                    EXPECT_NEAR(tensor->detach().norm().item<double>(), norms[i],
                                1e-4 * norms[i] + one)
                        << name;
                }
            }
            std::cout << "step " << step << " compared, float32 is off by " << distance << '\n';
        }
    }
}

TEST_F(GoldenForward, bfloat16_products_change_latents_by_less_than_two_percent_of_their_width) {
    for (const auto& file : files_) {
        const GoldenCase golden(file);
        const at::NoGradGuard no_gradients;
        const auto model = golden.model();
        auto pass = make_pass(model, nn::Mode::evaluate);
        const auto exact = model.encode(golden.batch(), pass).mean;
        pass.precision = tensor::Precision::bf16;
        const auto rounded = model.encode(golden.batch(), pass).mean;
        EXPECT_FALSE(at::equal(exact, rounded));
        const double width = exact.std().item<double>();
        EXPECT_LT((rounded - exact).abs().mean().item<double>(), 0.02 * width);
    }
}

}  // namespace
}  // namespace hodo::om2vec
