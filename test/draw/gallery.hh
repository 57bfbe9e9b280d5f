#pragma once
/// One figure of every kind, a report and an event display, made from fixed pseudo-random numbers.

#include <string>
#include <utility>
#include <vector>

#include "hodo/draw/event_display.hh"
#include "hodo/draw/figure.hh"
#include "hodo/draw/report.hh"

namespace hodo::test {

/// Standard normal numbers, the same for the same seed.
std::vector<double> normal_numbers(std::size_t count, unsigned seed);

std::vector<std::pair<std::string, draw::Figure>> gallery_figures();
draw::Report gallery_report();
/// A detector of 86 strings with a track and a cascade.
draw::EventDisplay gallery_display();

}  // namespace hodo::test
