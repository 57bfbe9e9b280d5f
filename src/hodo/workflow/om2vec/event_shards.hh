#pragma once
/// Which events a shard of an array job takes.

#include "hodo/detector/optical/schema.hh"
#include "hodo/workflow/workflow.hh"

#include <vector>

namespace hodo::om2vec {

/// The rows of `files` that belong to `shard`: runs of events, of about equal bytes on disk. Files
/// with one row per photon are not cut. Opens only files that a cut goes through.
std::vector<optical::EventRange> events_of_shard(const std::vector<base::Path>& files,
                                                 const optical::ReadOptions& read,
                                                 const workflow::Shard& shard);

}  // namespace hodo::om2vec
