#pragma once
/// From deposits to the samples of wires, as they look after deconvolution.
///
/// Ionization recombines, drifts to the anode, is lost to impurities, diffuses, and is shared by
/// the bands it falls on; the deconvolved signal of a wire is the charge that arrived, smeared by
/// the filter of the deconvolution. Samples are kept in regions around signals that exceed the
/// noise; elsewhere they are zero, as in reconstructed files. Constants: docs/physics/lartpc.md.

#include "hodo/base/fields.hh"
#include "hodo/base/random.hh"
#include "hodo/detector/lartpc/overlap.hh"
#include "hodo/detector/lartpc/transport.hh"
#include "hodo/detector/lartpc/voxel_cloud.hh"
#include "hodo/detector/lartpc/wire_signals.hh"

#include <span>
#include <vector>

namespace hodo::lartpc {

struct ReadoutOptions {
    double lifetime = 10'400;   ///< Of drifting electrons [us].
    double longitudinal = 4.0;  ///< Diffusion along the drift [cm2/s].
    double transverse = 8.8;    ///< Across it [cm2/s].
    double filter = 2.65;       ///< Width of the deconvolution's filter [ticks].
    double electrons_per_count = 200;
    double noise = 0.5;          ///< Of samples of upright (collection) wires [counts].
    double induction_noise = 2;  ///< Of samples of tilted (induction) wires [counts].
    double threshold = 8.8;      ///< A region is kept when a sample exceeds this many deviations.
    int padding = 5;             ///< Ticks kept on either side of a signal.
    double fake_regions = 0.02;  ///< Regions of noise alone per channel.
    double dead = 0.002;  ///< Part of the channels that show nothing, the same in all events.

    void describe(base::Fields& f);
};

/// What one TPC's anode sees of an event.
struct TpcEvent {
    WireSignals signals;
    /// True voxels at full resolution. Values: energy [MeV], track, particle.
    VoxelImage energy;
    /// The same with the number of electrons that escaped recombination.
    VoxelImage electrons;
    /// The same with the energy that the wires of each plane saw, summed over the planes: three
    /// times the energy wherever every plane has a wire.
    VoxelImage seen;
    /// Electrons that arrived at the anode, and what the wires of each plane collected.
    double arrived = 0;
    std::array<double, planes_per_face> collected{};
};

/// Reads out the deposits that lie in a TPC. `ticks` is the length of the readout window.
TpcEvent read_out(std::span<const Deposit> deposits, const Detector& detector, int tpc,
                  const ReadoutOptions& options, const base::Random& random, int ticks);

}  // namespace hodo::lartpc
