// Detector geometries, and that what was read can be written and read again.

#include "fuzz/target.hh"
#include "hodo/base/error.hh"
#include "hodo/detector/optical/geometry.hh"

void hodo::fuzz::read(std::string_view data) {
    const auto geometry = optical::parse_geo(data, "fuzz.geo");
    if (optical::parse_geo(optical::format_geo(geometry), "again") != geometry) {
        throw base::Defect("not the same again");
    }
}

std::vector<std::string> hodo::fuzz::seeds() {
    return {
        "### Metadata ###\nMedium:\tice\nDOM Radius [cm]:\t30\n### Modules ###\n"
        "1.5\t-2\t-1e3\t1\t1\n1.5\t-2\t-1017.5\t1\t2\n",
        "### Modules ###\n0 0 0 0 0\n"};
}
