#pragma once
/// Outputs that exist are never replaced by accident.

#include "hodo/base/text.hh"
#include "hodo/workflow/workflow.hh"

namespace hodo::workflow {

/// Makes an output folder ready. A folder with content is refused, or with `overwrite` removed if
/// Hodoscope wrote it (it has a run.json), or with `resume` left as it is. Until `record_run` the
/// folder counts as unfinished, and its files are not read as a set (detector/optical/files.hh). A
/// signal that ends the program before says how to go on.
void claim_folder(const base::Path& folder, Existing existing);

/// Refuses a file that exists unless `overwrite`, and one that cannot be written where it should
/// be.
void claim_file(const base::Path& file, Existing existing);

/// Records in `folder` what made it: config.yaml and run.json with command line, versions, host
/// and inputs with sizes.
void record_run(const base::Path& folder, const Job& job, const std::vector<base::Path>& inputs,
                std::uint64_t seed = 0);

}  // namespace hodo::workflow
