#include "hodo/draw/report_page.hh"

namespace hodo::draw {

void ReportPage::figure(const std::string& name, const std::string& caption, const Figure& figure) {
    report.figure(caption, figure);
    for (const char* ending : {".png", ".pdf", ".svg"}) figure.save(figures_ / (name + ending));
}

}  // namespace hodo::draw
