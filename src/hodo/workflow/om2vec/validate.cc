/// The verb `validate`: does the simulator follow its closed forms? Figures and chi-squares.

#include "hodo/detector/optical/validate.hh"
#include "hodo/base/log.hh"
#include "hodo/draw/figure.hh"
#include "hodo/workflow/om2vec/options.hh"
#include "hodo/workflow/om2vec/verbs.hh"
#include "hodo/workflow/output.hh"

namespace hodo::om2vec {

namespace {

void draw_curve(draw::Axes& axes, const optical::ValidationCurve& curve, draw::Scale scale) {
    axes.title(curve.name);
    axes.x({.label = curve.x_label});
    axes.y({.label = curve.y_label, .scale = scale});
    axes.line(curve.x, curve.expected, {.label = "closed form"});
    axes.points(curve.x, curve.simulated, {.label = "simulated", .y_errors = {curve.error}});
}

draw::Figure grid_of(const std::vector<optical::ValidationCurve>& curves, draw::Scale scale) {
    const int columns = 2, rows = (static_cast<int>(curves.size()) + 1) / columns;
    draw::Figure figure({.width = 640, .height = 230.0 * rows, .rows = rows, .columns = columns});
    for (std::size_t i = 0; i < curves.size(); ++i) {
        const int place = static_cast<int>(i);
        draw_curve(figure.panel(place / columns, place % columns), curves[i], scale);
    }
    return figure;
}

void tell(const optical::ValidationCurve& curve) {
    base::say("{:<60} chi-square {:6.1f} / {}", curve.name, curve.chi_square(), curve.points());
}

}  // namespace

void run_validate(const workflow::Job& job) {
    const auto options = job.config.as<ValidateOptions>();
    workflow::claim_folder(options.output, job.existing);
    const auto table = optical::validate_simulator(options.validation);
    for (const auto& curve : table.light) tell(curve);
    for (const auto& curve : table.residuals) tell(curve);
    tell(table.first_arrival);

    const base::Path folder = options.output;
    const auto save = [&](const draw::Figure& figure, const std::string& name) {
        for (const char* ending : {".png", ".pdf", ".svg"}) figure.save(folder / (name + ending));
    };
    save(grid_of(table.light, draw::Scale::log), "light");
    save(grid_of(table.residuals, draw::Scale::log), "residuals");
    draw::Figure arrival;
    draw_curve(arrival.panel(), table.first_arrival, draw::Scale::linear);
    save(arrival, "first_arrival");
    workflow::record_run(folder, job, {}, options.validation.seed);
    base::say("wrote figures to {}", folder);
}

}  // namespace hodo::om2vec
