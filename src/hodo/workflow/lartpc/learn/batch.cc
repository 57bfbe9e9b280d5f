#include "hodo/workflow/lartpc/learn/batch.hh"

namespace hodo::lartpc {

void TrainingBatch::state(train::Archive& archive) {
    archive("coordinates", voxels.coordinates);
    archive("width", voxels.width);
    archive("features", voxels.features);
    archive("targets", voxels.targets);
    archive("cell", voxels.cell);
    archive("cell_charge", voxels.cell_charge);
    archive("event_starts", voxels.event_starts);
    archive("file_starts", voxels.file_starts);
    archive("file_events", voxels.file_events);
    archive("samples", voxels.samples);
    std::vector<std::string> files;
    for (const auto& file : voxels.files) files.push_back(file.string());
    archive("files", files);
    voxels.files.assign(files.begin(), files.end());
}

TrainingBatch FileSource::load(const train::Request& request) const {
    std::vector<std::int64_t> samples;
    for (const auto& row : request.rows) samples.push_back(row.row);
    return {data_.load(samples, request.epoch)};
}

}  // namespace hodo::lartpc
