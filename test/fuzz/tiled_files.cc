// Tiled events with their pickled truth, and the tables and outputs of a training on them.

#include "fuzz/target.hh"
#include "hodo/base/error.hh"
#include "hodo/detector/lartpc/file_names.hh"
#include "hodo/detector/lartpc/files.hh"
#include "hodo/io/npz.hh"
#include "hodo/workflow/lartpc/inference_files.hh"
#include "hodo/workflow/lartpc/summaries.hh"

namespace lartpc = hodo::lartpc;

void hodo::fuzz::read(std::string_view data) {
    const auto bytes = std::as_bytes(std::span(data));
    (void)lartpc::parse_file_name(data.substr(0, data.find('\n')));
    if (data.starts_with("epoch")) {
        const auto text = lartpc::Summaries::parse(data, "fuzz.csv").text();
        if (lartpc::Summaries::parse(text, "again").text() != text) throw base::Defect("changed");
        return;
    }
    if (data.starts_with("\x93NUMPY")) {
        (void)lartpc::inference_values(io::parse_npy(bytes, "fuzz.npy"), "fuzz.npy");
        return;
    }
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
    const auto outputs = written(".npy", [](const base::Path& file) {
        lartpc::write_inference(file, std::vector<float>{0.5F, 0.25F});
    });
    return {tiled, parsed, outputs, "epoch\ttrain_loss\tvalid_acc\n0\t1.500000\t\n1\t0.5\tnan\n"};
}
