#include "hodo/workflow/lartpc/report_options.hh"

namespace hodo::lartpc {

void ReportOptions::describe(base::Fields& f) {
    f("run", run, "run directory of train; may be empty where inference and truth are named");
    f("output", output, "HTML file to write; empty: report.html in the run directory");
    f("detector", detector, detector_help);
    f("inference", inference,
      "folders of yinf files or patterns; empty: folder 'inference' of the run");
    f("truth", truth,
      "folders of the xy files with truth; empty: those of the run's configuration");
    f("parsed", parsed,
      "folder of the parsed files: mcparticle files there tell which tracks stop; empty: the last "
      "voxels of a track tell");
    f("ghosts", ghosts,
      "charge networks: yinf files of a ghost network; only voxels that it keeps are judged");
    f("epoch", epoch, "number of the epoch to judge; -1: the last one that is there").at_least(-1);
    f("quantity", quantity,
      "what the outputs are; automatic: the run's network tells, else charges if any lies outside "
      "0 to 1");
    f("threshold", threshold, "voxels with a higher score are kept").between(0, 1);
    f("truth_threshold", truth_threshold,
      "true voxels with less count as ghosts, in the unit of the truth")
        .at_least(0);
    f("scale", scale, "charge networks: factor on the truth; 0: the run's own, or 1").at_least(0);
    f("merge", merge, "voxels in x, y and z that one coarse voxel of the merged curve holds")
        .at_least(1);
    f("downsample", downsample, "ticks, y pixels and z pixels that make one voxel").at_least(1);
    f("displays", displays, "events to draw").between(0, 20);
    f("tag", tag, "end of the names of the stats files");
    f.rule(merge.size() == 3, "merge needs three factors: [x, y, z]");
    f.rule(downsample.size() == 3, "downsample needs three factors: [ticks, y, z]");
}

}  // namespace hodo::lartpc
