#include "hodo/draw/report_page.hh"

namespace hodo::draw {

void ReportPage::figure(const std::string& name, const std::string& caption, const Figure& figure) {
    report.figure(caption, figure);
    save(name, figure);
}

void ReportPage::clouds(const std::string& name, const std::string& caption, const Figure& still,
                        const Clouds& clouds) {
    report.clouds(caption, still, clouds);
    save(name, still);
}

void ReportPage::save(const std::string& name, const Figure& figure) const {
    for (const char* ending : {".png", ".pdf", ".svg"}) figure.save(figures_ / (name + ending));
}

}  // namespace hodo::draw
