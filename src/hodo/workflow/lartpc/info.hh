#pragma once
/// What a file of the workflow holds, in numbers.

#include "hodo/base/text.hh"
#include "hodo/detector/lartpc/pilarnet.hh"
#include "hodo/io/json.hh"

namespace hodo::lartpc {

/// Facts of a file by its product:
///   xy           events, voxels, extent (largest x, y, z + 1), mean charges; with truth: true
///                voxels, ghosts per true voxel, the share of all true voxels that is active, and
///                their sum
///   pixel        events, pixels
///   yinf         voxels, smallest, mean and largest output, share of outputs of one half or more
///   wire, hit    events, ticks, channels, samples that are not zero, their sum
///   other parsed products of voxels: events, points, sum of values
/// and of users' data by its content:
///   PILArNet-M   (.h5) version, events in the file, events and voxels kept by `options`, extent,
///                sum of energies, voxels of each semantic and each particle class
///   archive      (.npz) of voxels: label, voxels, extent, sum of energies
/// An error when it is no such file.
io::Json file_facts(const base::Path& file, const PilarnetOptions& options = {});

/// "events 5, voxels 190,123, ..."
std::string facts_text(const io::Json& facts);

}  // namespace hodo::lartpc
