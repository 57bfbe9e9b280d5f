// Tiled events with their pickled truth.

#include "fuzz/target.hh"
#include "hodo/base/error.hh"
#include "hodo/detector/lartpc/file_names.hh"
#include "hodo/detector/lartpc/files.hh"

namespace lartpc = hodo::lartpc;

void hodo::fuzz::read(std::string_view data) {
    const auto bytes = std::as_bytes(std::span(data));
    (void)lartpc::parse_file_name(data.substr(0, data.find('\n')));
    const auto archive = io::NpzArchive::parse(io::Blob{bytes, nullptr}, "fuzz.npz");
    for (const auto& name : archive.names()) {
        try {
            (void)archive.read_objects(name);
        } catch (const base::Error&) {
        }
    }
    if (archive.has("X")) {
        const auto batch = lartpc::read_xy(archive);
        if (batch.cloud.starts.back() != batch.cloud.size()) throw base::Defect("wrong starts");
        return;
    }
    const lartpc::ParsedFile parsed(archive);
    for (std::int64_t event = 0; event < parsed.events(); ++event) (void)parsed.image(event);
}

std::vector<std::string> hodo::fuzz::seeds() {
    const auto tiled = written(".npz", [](const base::Path& file) {
        lartpc::TiledBatch batch;
        const lartpc::VoxelImage truth{{{3, 1, 2}}, 3, {0.5, 1, 13}};
        batch.append({{{0, 1, 2}, {3, 1, 2}}, {{1, 2, 3}, {4, 5, 6}}}, &truth);
        lartpc::write_xy(file, batch);
    });
    const auto parsed = written(".npz", [](const base::Path& file) {
        lartpc::ParsedWriter writer(file);
        writer.add(lartpc::VoxelImage{{{3, 1, 2}, {4, 1, 2}}, 3, {0.5, 1, 13, 0.25, 1, 13}});
        writer.commit();
    });
    return {tiled, parsed};
}
