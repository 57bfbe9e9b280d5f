// ZIP archives: the directory and every member of at most a megabyte.

#include "hodo/io/zip.hh"
#include "fuzz/target.hh"
#include "hodo/base/error.hh"

void hodo::fuzz::read(std::string_view data) {
    const auto archive = io::ZipReader::parse(io::make_blob(data), "fuzz.zip");
    for (const auto& member : archive.members()) {
        try {
            archive.read(member, io::Checksum::verify, 1 << 20);
        } catch (const base::Error&) {
            // One bad member says nothing about the others.
        }
    }
}

std::vector<std::string> hodo::fuzz::seeds() {
    return {written(".zip", [](const base::Path& file) {
        io::ZipWriter archive(file);
        archive.add("stored", "twelve bytes", io::Packing::stored, 64);
        archive.add("folder/deflated", std::string(300, 'x'), io::Packing::deflated);
        archive.commit();
    })};
}
