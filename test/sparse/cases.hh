#pragma once
/// Voxels, kernels and dense counterparts that the tests of sparse layers share.

#include "hodo/base/random.hh"
#include "hodo/sparse/conv.hh"

#include <string>
#include <vector>

namespace hodo::sparse::test {

/// About `count` distinct voxels in boxes of the given edge around `centre`, in random order.
inline std::vector<Voxel> random_voxels(int count, int edge, int events, std::string_view purpose,
                                        Voxel centre = {}) {
    base::Random random(5, purpose);
    std::vector<Voxel> voxels;
    const auto place = [&](std::int32_t from) {
        return from + static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(edge))) -
               edge / 2;
    };
    for (int i = 0; i < count; ++i) {
        const auto event = random.below(static_cast<std::uint64_t>(events));
        voxels.push_back(
            {static_cast<std::int32_t>(event), place(centre.x), place(centre.y), place(centre.z)});
    }
    voxels = sorted_distinct(voxels);
    for (std::size_t i = voxels.size(); i > 1; --i) {
        std::swap(voxels[i - 1], voxels[random.below(i)]);
    }
    return voxels;
}

inline at::Tensor to_tensor(const std::vector<Voxel>& voxels) {
    auto table = at::empty({static_cast<std::int64_t>(voxels.size()), 4}, at::kInt);
    auto* c = table.data_ptr<std::int32_t>();
    for (const auto& v : voxels) {
        for (const auto value : {v.batch, v.x, v.y, v.z}) *c++ = value;
    }
    return table;
}

inline at::Tensor random_tensor(const std::vector<std::int64_t>& shape, std::string_view purpose,
                                at::ScalarType type = at::kDouble) {
    base::Random random(9, purpose);
    auto tensor = at::empty(shape, at::kDouble);
    for (std::int64_t i = 0; i < tensor.numel(); ++i) {
        tensor.data_ptr<double>()[i] = random.normal();
    }
    return tensor.to(type);
}

/// A kernel, its stride and a name.
struct KernelCase {
    std::string name;
    ConvSpec spec;
};

/// Kernels of every kind: odd and even, per axis, dilated, strided by both conventions.
inline std::vector<KernelCase> kernel_cases() {
    return {{"1x1x1", submanifold({1, 1, 1})},
            {"3x3x3", submanifold({3, 3, 3})},
            {"1x3x5", submanifold({1, 3, 5})},
            {"3x3x3 dilated 2", submanifold({3, 3, 3}, {2, 2, 2})},
            {"3x3x3 dilated 1,2,3", submanifold({3, 3, 3}, {1, 2, 3})},
            {"2x2x2 stride 1", minkowski({2, 2, 2}, {1, 1, 1})},
            {"4x3x2 stride 1", minkowski({4, 3, 2}, {1, 1, 1})},
            {"7x7x7", submanifold({7, 7, 7})},
            {"2x2x2 stride 2", strided({2, 2, 2}, {2, 2, 2})},
            {"4x2x2 stride 4,2,2", strided({4, 2, 2}, {4, 2, 2})},
            {"1x2x2 stride 1,2,2", strided({1, 2, 2}, {1, 2, 2})},
            {"3x3x3 stride 2, forward", strided({3, 3, 3}, {2, 2, 2})},
            {"3x3x3 stride 2, centred", minkowski({3, 3, 3}, {2, 2, 2})},
            {"1x1x1 stride 2", minkowski({1, 1, 1}, {2, 2, 2})},
            {"3x3x3 stride 1, everywhere", {{{3, 3, 3}}, {1, 1, 1}, Sites::seeing}},
            {"2x4x3 stride 2,4,3", strided({2, 4, 3}, {2, 4, 3})},
            {"3x2x5 stride 2,3,1, forward", strided({3, 2, 5}, {2, 3, 1})},
            {"4x3x2 stride 1,2,3, centred", minkowski({4, 3, 2}, {1, 2, 3})},
            {"2x1x2 stride 3, centred", minkowski({2, 1, 2}, {3, 3, 3})},
            {"2x3x2 stride 2 dilated 2,1,3", minkowski({2, 3, 2}, {2, 2, 2}, {2, 1, 3})},
            {"2x3x2 stride 2,3,2, everywhere", {{{2, 3, 2}}, {2, 3, 2}, Sites::seeing}}};
}

/// Offsets of a kernel's cells in order, in units of the coordinates.
inline std::vector<Triple> offsets_of(const Kernel& kernel, const Triple& stride) {
    std::vector<Triple> offsets;
    const auto at = [&](std::size_t a, std::int64_t i) {
        return (kernel.begin(a) + i) * kernel.dilation[a] * stride[a];
    };
    for (std::int64_t x = 0; x < kernel.size[0]; ++x) {
        for (std::int64_t y = 0; y < kernel.size[1]; ++y) {
            for (std::int64_t z = 0; z < kernel.size[2]; ++z) {
                offsets.push_back({at(0, x), at(1, y), at(2, z)});
            }
        }
    }
    return offsets;
}

}  // namespace hodo::sparse::test
