#pragma once
/// A report while it is made: the page, and its figures as files of their own.

#include <string>

#include "hodo/base/text.hh"
#include "hodo/draw/figure.hh"
#include "hodo/draw/report.hh"

namespace hodo::draw {

class ReportPage {
  public:
    /// `figures`: the folder for the figures; it is made with the first one.
    ReportPage(std::string title, base::Path figures)
        : report(std::move(title)), figures_(std::move(figures)) {}

    /// Shows a figure and saves it as `name`.png, .pdf and .svg.
    void figure(const std::string& name, const std::string& caption, const Figure& figure);

    /// The same for points that turn on the page; the files hold the still view.
    void clouds(const std::string& name, const std::string& caption, const Figure& still,
                const Clouds& clouds);

    Report report;

  private:
    void save(const std::string& name, const Figure& figure) const;

    base::Path figures_;
};

}  // namespace hodo::draw
