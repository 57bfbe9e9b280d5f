// Archives of arrays and single arrays, whichever the bytes begin like.

#include "hodo/io/npz.hh"
#include "fuzz/target.hh"
#include "hodo/base/error.hh"

namespace io = hodo::io;

namespace {

std::string array_file(std::string_view ending, const io::Array& array) {
    static io::Array content;
    content = array;
    if (ending == ".npy") {
        return hodo::fuzz::written(
            ending, [](const hodo::base::Path& file) { io::write_npy(file, content); });
    }
    return hodo::fuzz::written(ending, [](const hodo::base::Path& file) {
        io::write_npz(file, {{"a", content}, {"group/b", content}});
    });
}

void check(const io::Array& array) {
    const auto bytes = static_cast<std::size_t>(array.size()) * io::item_size(array.dtype);
    if (bytes != array.bytes.size()) throw hodo::base::Defect("an array with wrong bytes");
}

}  // namespace

void hodo::fuzz::read(std::string_view data) {
    const auto bytes = std::as_bytes(std::span(data));
    if (data.starts_with("PK")) {
        for (const auto& named : io::parse_npz(bytes, "fuzz.npz")) check(named.array);
        const auto file = as_file(data);
        for (const auto& name : io::npz_names(file)) io::read_npz_text(file, name);
    } else {
        check(io::parse_npy(bytes, "fuzz.npy"));
    }
}

std::vector<std::string> hodo::fuzz::seeds() {
    const auto reals = io::make_array(std::vector<double>{1, 2, 3});
    const auto square = io::make_array(
        std::span<const std::int16_t>(std::vector<std::int16_t>{1, 2, 3, 4}), {2, 2});
    return {array_file(".npy", reals), array_file(".npy", square), array_file(".npz", reals),
            array_file(".npz", square)};
}
