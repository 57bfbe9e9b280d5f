// HDF5 files with anything damaged: every dataset and attribute is read, as whatever it says it is,
// and as events of PILArNet-M where it has such.

#include "hodo/io/hdf5.hh"
#include "fuzz/target.hh"
#include "hodo/base/error.hh"
#include "hodo/detector/lartpc/pilarnet.hh"
#include "support/ragged_hdf5.hh"

#include <algorithm>

namespace io = hodo::io;
namespace lartpc = hodo::lartpc;

namespace {

/// A refusal of one dataset says nothing about the others.
template <class Action>
void attempt(Action&& action) {
    try {
        action();
    } catch (const hodo::base::Error&) {
    }
}

void read_pilarnet(const hodo::base::Path& path) {
    const lartpc::PilarnetFile file(path);
    for (std::int64_t event = 0; event < std::min<std::int64_t>(file.events(), 8); ++event) {
        attempt([&] { (void)file.read(event, 1, {}); });
    }
}

}  // namespace

/// The library asks for memory before it reads a damaged size's bytes, which fail, and forgets some
/// of what it holds when it gives up. Both are not ours.
extern "C" const char* __asan_default_options() {
    return "allocator_may_return_null=1:detect_leaks=0";
}

void hodo::fuzz::read(std::string_view data) {
    const auto path = as_file(data);
    const auto file = io::Hdf5File::open(path);
    attempt([&] { (void)file.attributes("/"); });
    for (const auto& name : file.datasets()) {
        attempt([&] { (void)file.describe(name); });
        attempt([&] { (void)file.attributes(name); });
        attempt([&] { (void)file.read_text(name); });
        attempt([&] { (void)file.read_lists(name); });
        attempt([&] {
            const auto array = file.read(name);
            const auto bytes = static_cast<std::size_t>(array.size()) * io::item_size(array.dtype);
            if (bytes != array.bytes.size()) throw base::Defect("an array with wrong bytes");
        });
    }
    attempt([&] { read_pilarnet(path); });
}

std::vector<std::string> hodo::fuzz::seeds() {
    const auto arrays = written(".h5", [](const base::Path& file) {
        io::Hdf5Writer writer(file);
        const auto numbers = io::make_array(std::vector<double>{1, 2, 3});
        writer.write("deep/group/numbers", numbers);
        writer.append("grows", numbers);
        writer.append("grows", numbers);
        writer.write_text("names", {"electron", "muon"});
        writer.attribute("/", "version", "1.0");
        writer.attribute("grows", "scale", io::Json::parse("[0.5, 2]", "seed"));
        writer.finish();
    });
    const std::vector<double> points{4, 5, 6, 2.5, 4, 5, 0, 0, 5, 5, 6, 3.5, 5, 5, 0, 0};
    return {arrays, test::ragged_hdf5({{"point", {points, points}},
                                       {"cluster", {{2, 0, 7, 1, 3}, {2, -1, -1, 1, 4}}}})};
}
