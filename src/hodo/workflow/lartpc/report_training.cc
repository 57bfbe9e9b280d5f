/// The report's section on training: loss and metrics of every epoch.

#include "hodo/workflow/lartpc/detail/report_sections.hh"
#include "hodo/workflow/lartpc/summaries.hh"

namespace hodo::lartpc::detail {

namespace {

void draw_metric(draw::Axes& axes, const Summaries& summaries, const std::string& name) {
    for (const char* set : {"train", "valid"}) {
        std::vector<double> epochs, values;
        for (const auto& epoch : summaries.epochs()) {
            const auto value = epoch.value(base::format("{}_{}", set, name));
            if (!value) continue;
            epochs.push_back(static_cast<double>(epoch.epoch));
            values.push_back(*value);
        }
        const auto colour = draw::palette(std::string_view(set) == "train" ? 0 : 1);
        axes.line(epochs, values, {.colour = colour});
        axes.points(epochs, values,
                    {.label = std::string_view(set) == "train" ? "training" : "validation",
                     .colour = colour});
    }
    axes.x({.label = "epoch"}).y({.label = name});
}

}  // namespace

void add_training(draw::ReportPage& page, const base::Path& run) {
    const auto file = Summaries::file_of(run, 0);
    if (!std::filesystem::exists(file)) return;
    const auto summaries = Summaries::read(file);
    if (summaries.epochs().empty()) return;
    std::vector<std::string> metrics;
    for (const auto& [name, value] : summaries.epochs().front().values) {
        if (name.starts_with("train_") && name != "train_time") metrics.push_back(name.substr(6));
    }
    const auto& last = summaries.epochs().back();
    page.report.section("Training",
                        base::format("{} epochs, from {} to {}.", summaries.epochs().size(),
                                     summaries.epochs().front().epoch, last.epoch));
    for (const auto& metric : metrics) {
        if (const auto value = last.value("valid_" + metric)) {
            page.report.number("validation " + metric + ", last epoch", *value);
        }
    }
    draw::Figure figure({.width = 400.0 * static_cast<double>(metrics.size()),
                         .height = 280,
                         .rows = 1,
                         .columns = static_cast<int>(metrics.size())});
    for (std::size_t i = 0; i < metrics.size(); ++i) {
        draw_metric(figure.panel(0, static_cast<int>(i)), summaries, metrics[i]);
    }
    page.figure("training",
                "Loss and metrics after each epoch. Training values are means while the network "
                "still changed; a validation loss that rises while the other falls is learning by "
                "heart.",
                figure);
}

}  // namespace hodo::lartpc::detail
