#include "hodo/workflow/lartpc/options.hh"

#include "hodo/base/error.hh"

namespace hodo::lartpc {

namespace {

constexpr const char* factors_help = "ticks, y pixels and z pixels that make one voxel";
constexpr const char* coarse_truth_help =
    "voxels in x, y and z that make a cell of array Y_downsample, such as [5, 5, 5]; empty: no "
    "such array";

}  // namespace

void SimulateOptions::describe(base::Fields& f) {
    f("output", output, "folder to write");
    f("detector", detector, detector_help);
    simulation.describe(f);
}

void ValidateOptions::describe(base::Fields& f) {
    f("output", output, "folder for the figures");
    f("detector", detector, detector_help);
    validation.describe(f);
}

void PrepareOptions::describe(base::Fields& f) {
    f("input", input, "parsed files, folders of them, or patterns such as 'parsed/*TPC1.npz'");
    f("output", output, "folder to write");
    f("detector", detector, detector_help);
    f("source", source, "tile wires or hits, or merge saved pixels anew");
    f("truth", truth, "products with the truth, the first that exists is taken; empty: no truth");
    f("tpcs", tpcs, "TPCs to prepare; empty: all that the input has").at_least(0);
    f("downsample", downsample, factors_help).at_least(1);
    f("coarse_truth", coarse_truth, coarse_truth_help).at_least(1);
    f("batch_size", batch_size, "events per file written; 0: as many as the input has").at_least(0);
    f("save_pix", save_pix, "also write the pixels at full resolution");
    f("threshold", threshold, "a sample above it makes its channel fire");
    f("border", border, "whether pixels that no wire of a plane covers count as covered");
    f("plane_order", plane_order,
      "order of a voxel's three charges: by the planes' angle (V, X, U on even TPCs, U, X, V on "
      "odd ones, as published) or always U, V, X");
    f("box", box, "pixels in z and y to tile; 0: the whole face").between(0, most_pixels_of_side);
    f.rule(downsample.size() == 3, "downsample needs three factors: [ticks, y, z]");
    f.rule(box.size() == 2, "box needs two sizes: [z, y]");
    f.rule(coarse_truth.empty() || coarse_truth.size() == 3,
           "coarse_truth needs three factors: [x, y, z]");
}

void JoinOptions::describe(base::Fields& f) {
    f("input", input, "folder with xy files");
    f("output", output, "folder to write; empty: the input folder");
    f("inference", inference,
      "folder of yinf files: their outputs are joined instead of the voxels, and the gaps between "
      "anodes filled");
    f("detector", detector, detector_help);
    f("tpcs", tpcs, "TPCs to join; the first one's frame is kept").at_least(0);
    f("downsample", downsample, factors_help).at_least(1);
    f("coarse_truth", coarse_truth, coarse_truth_help).at_least(1);
    f.rule(downsample.size() == 3, "downsample needs three factors: [ticks, y, z]");
    f.rule(coarse_truth.empty() || coarse_truth.size() == 3,
           "coarse_truth needs three factors: [x, y, z]");
    f.rule(tpcs.size() >= 2, "tpcs must name at least two TPCs");
}

void ApplyOptions::describe(base::Fields& f) {
    f("input", input, "xy files, folders of them, or patterns such as 'xy/*TPC1.npz'");
    f("output", output, "folder for the yinf files");
    f("weights", weights,
      "trained weights: a run directory, a weight file, or a checkpoint of the published code");
    f("tpcs", tpcs, "TPCs to take; empty: all that the input has").at_least(0);
    f("epoch", epoch, "number in the names; -1: that of the weights, or 0").at_least(-1);
    f("threshold", threshold,
      "also write the voxels whose output is at least this, as xy files 'kept-...'; -1: none");
    f("z_segments", z_segments,
      "data.transforms.z_segments of the training; empty: those of the run directory");
    f("round", round, "data.transforms.round of the training; -1: that of the run directory")
        .between(-1, 9);
    f("voxels", voxels, "voxels of several events that go through the network together")
        .at_least(1);
}

void SolveOptions::describe(base::Fields& f) {
    f("input", input, "xy files, folders of them, or patterns such as 'xy/*TPC1.npz'");
    f("output", output, "folder for the charges, as yinf files");
    f("parsed", parsed, "folder of the parsed files that the xy files were prepared from");
    f("source", source, "solve from wires or hits, as the xy files were prepared");
    f("inference", inference,
      "folder of a ghost network's yinf files; empty: every voxel may hold charge");
    f("detector", detector, detector_help);
    f("threshold", threshold, "voxels whose output is at least this may hold charge, others get 0")
        .between(0, 1);
    f("method", method,
      "lasso: charges >= 0 with a penalty on their sum and a free offset of the samples; ols: "
      "least squares, of least norm");
    f("alpha", alpha, "lasso: the penalty").at_least(0);
    f("tpcs", tpcs, "TPCs to take; empty: all that the input has").at_least(0);
    f("epoch", epoch, "number of the epoch to read; -1: the last one of each file").at_least(-1);
    f("downsample", downsample, "ticks, y pixels and z pixels that make one voxel, as prepared")
        .at_least(1);
    f.rule(downsample.size() == 3, "downsample needs three factors: [ticks, y, z]");
    f.rule(source != Source::pixel,
           "charges are solved from wires or hits, not from pixels; source must be wire or hit");
}

void InfoOptions::describe(base::Fields& f) {
    f("input", input, "parsed, pixel, xy or yinf files, PILArNet-M files, archives of voxels");
    f("json", json, "print JSON");
    pilarnet.describe(f);
}

void ViewOptions::describe(base::Fields& f) {
    f("input", input,
      "xy file, PILArNet-M or archive of voxels, or parsed wire or hit file for the planes");
    f("output", output, "HTML file to write");
    f("inference", inference, "yinf file of the voxels: shows what a network keeps and loses");
    f("detector", detector, detector_help);
    f("downsample", downsample, "ticks, y pixels and z pixels that make one voxel, as prepared")
        .at_least(1);
    f("threshold", threshold, "voxels with a higher score are kept").between(0, 1);
    f("first", first, "number of the first event").at_least(0);
    f("events", events, "how many events to include").at_least(1);
    f.rule(downsample.size() == 3, "downsample needs three factors: [ticks, y, z]");
}

Downsampling downsampling_of(const std::vector<std::int64_t>& factors, std::string_view key) {
    HODO_CHECK(factors.size() == 3, "{} needs three factors: [ticks, y, z]", key);
    return {static_cast<int>(factors[0]), static_cast<int>(factors[1]),
            static_cast<int>(factors[2])};
}

}  // namespace hodo::lartpc
