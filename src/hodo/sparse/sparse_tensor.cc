#include "hodo/sparse/sparse_tensor.hh"

#include <cmath>

#include <torch/csrc/autograd/custom_function.h>

#include "hodo/base/error.hh"
#include "hodo/base/threads.hh"
#include "hodo/sparse/detail/sums.hh"

namespace hodo::sparse {

namespace {

constexpr std::int64_t rows_per_part = 8192;  // that are worth a thread's while

std::vector<Voxel> read_voxels(const at::Tensor& coordinates, EventColumn event_column) {
    HODO_CHECK(coordinates.dim() == 2 && coordinates.size(1) == 4,
               "coordinates of sparse rows need 4 columns (event, x, y, z)");
    const auto as_read = coordinates.scalar_type() == at::kInt ? at::kInt : at::kLong;
    const auto plain = coordinates.to(at::kCPU, as_read).contiguous();
    std::vector<Voxel> voxels(static_cast<std::size_t>(plain.size(0)));
    const auto read = [&](const auto* c) {
        base::parallel_for(plain.size(0), rows_per_part, [&](std::int64_t begin, std::int64_t end) {
            for (auto i = begin; i < end; ++i) {
                std::array<std::int32_t, 4> row{};
                for (std::size_t a = 0; a < 4; ++a) {
                    const auto value = c[4 * i + static_cast<std::int64_t>(a)];
                    HODO_CHECK(static_cast<std::int32_t>(value) == value,
                               "coordinate {} does not fit 32 bits; move the voxels towards zero",
                               value);
                    row[a] = static_cast<std::int32_t>(value);
                }
                voxels[static_cast<std::size_t>(i)] = event_column == EventColumn::first
                                                          ? Voxel{row[0], row[1], row[2], row[3]}
                                                          : Voxel{row[3], row[0], row[1], row[2]};
            }
        });
    };
    if (as_read == at::kInt) {
        read(plain.data_ptr<std::int32_t>());
    } else {
        read(plain.data_ptr<std::int64_t>());
    }
    return voxels;
}

/// Lists from voxels to the input rows they are made of.
RowLists voxel_lists(const Grouping& grouping) {
    auto there = std::make_shared<Neighbours>();
    auto back = std::make_shared<Neighbours>();
    const auto rows = grouping.rows.size();
    there->starts = grouping.starts;
    there->entries.resize(rows);
    back->entries.resize(rows);
    back->starts.resize(rows + 1);
    base::parallel_for(
        static_cast<std::int64_t>(rows), rows_per_part, [&](std::int64_t begin, std::int64_t end) {
            for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
                there->entries[i] = {grouping.rows[i], 0};
                back->entries[i] = {grouping.voxel_of_row[i], 0};
                back->starts[i + 1] = static_cast<std::int64_t>(i) + 1;
            }
        });
    return {there, back, SumOrder::by_value, SumOrder::listed};
}

/// As `voxel_lists` with only the first or last row of each voxel.
RowLists chosen_lists(const Grouping& grouping, Merge merge) {
    auto there = std::make_shared<Neighbours>();
    for (std::size_t voxel = 0; voxel + 1 < grouping.starts.size(); ++voxel) {
        const auto place =
            merge == Merge::first ? grouping.starts[voxel] : grouping.starts[voxel + 1] - 1;
        there->entries.push_back({grouping.rows[static_cast<std::size_t>(place)], 0});
        there->starts.push_back(static_cast<std::int64_t>(there->entries.size()));
    }
    auto back = std::make_shared<Neighbours>(
        reversed(*there, static_cast<std::int64_t>(grouping.voxel_of_row.size())));
    return {there, back};
}

void require_same_voxels(const SparseTensor& a, const SparseTensor& b) {
    HODO_DOOR(a.coordinates == b.coordinates ||
              std::ranges::equal(a.coordinates->voxels(), b.coordinates->voxels()));
}

/// Rows of two tensors side by side; gradients are views of the columns.
struct JoinFunction : torch::autograd::Function<JoinFunction> {
    static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& left,
                              const at::Tensor& right) {
        const auto a = plain_rows(left), b = plain_rows(right);
        context->saved_data["left"] = a.size(1);
        const auto y = new_rows(a.size(0), a.size(1) + b.size(1), a.options());
        for_type_of(a, [&](auto number) {
            using T = decltype(number);
            const T *from_a = a.data_ptr<T>(), *from_b = b.data_ptr<T>();
            T* to = y.data_ptr<T>();
            const auto wide = y.size(1), in_a = a.size(1), in_b = b.size(1);
            base::parallel_for(a.size(0), 4096, [&](std::int64_t begin, std::int64_t end) {
                for (auto row = begin; row < end; ++row) {
                    std::copy_n(from_a + row * in_a, in_a, to + row * wide);
                    std::copy_n(from_b + row * in_b, in_b, to + row * wide + in_a);
                }
            });
        });
        return y;
    }
    static torch::autograd::variable_list backward(
        torch::autograd::AutogradContext* context,
        const torch::autograd::variable_list& gradients) {
        const auto left = context->saved_data["left"].toInt();
        const auto& g = gradients[0];
        return {g.narrow(1, 0, left), g.narrow(1, left, g.size(1) - left)};
    }
};

/// Row numbers of voxels, -1 for missing ones, and the weight of each: [points, corners].
struct Corners {
    at::Tensor rows, weights;
    at::Tensor gather(const at::Tensor& features) const {
        const auto padded =
            at::cat({features, at::zeros({1, features.size(1)}, features.options())});
        const auto count = rows.size(1);
        const auto known = rows.to(features.device());
        const auto places =
            at::where(known < 0, at::full({}, features.size(0), known.options()), known);
        const auto values = at::index_select(padded, 0, places.reshape({-1}));
        return (values.reshape({-1, count, features.size(1)}) *
                weights.to(features.device(), features.scalar_type()).unsqueeze(-1))
            .sum(1);
    }
};

enum class Reach { cell, corners };

Corners find_corners(const SparseTensor& x, const at::Tensor& points, Reach reach) {
    HODO_CHECK(points.dim() == 2 && points.size(1) == 4, "points need 4 columns (event, x, y, z)");
    const auto plain = points.to(at::kCPU, at::kDouble).contiguous();
    const auto count = plain.size(0);
    const std::int64_t corners = reach == Reach::cell ? 1 : 8;
    Corners found{at::full({count, corners}, -1, at::kLong),
                  at::ones({count, corners}, at::kDouble)};
    for (std::int64_t i = 0; i < count; ++i) {
        const double* point = plain.data_ptr<double>() + 4 * i;
        for (std::int64_t corner = 0; corner < corners; ++corner) {
            std::array<std::int32_t, 3> place{};
            double weight = 1.0;
            bool inside = true;
            for (std::size_t a = 0; a < 3; ++a) {
                const auto step = static_cast<double>(x.coordinates->stride()[a]);
                const double cell = std::floor(point[a + 1] / step);
                const bool upper = (corner >> a & 1) != 0;
                const double part = point[a + 1] / step - cell;
                if (reach == Reach::corners) weight *= upper ? part : 1.0 - part;
                const double coordinate = (cell + (upper ? 1.0 : 0.0)) * step;
                inside = inside && std::abs(coordinate) < 2147483648.0;
                place[a] = inside ? static_cast<std::int32_t>(coordinate) : 0;
            }
            if (!inside || !(weight > 0.0)) continue;
            found.rows.data_ptr<std::int64_t>()[i * corners + corner] = x.coordinates->find(
                {static_cast<std::int32_t>(point[0]), place[0], place[1], place[2]});
            found.weights.data_ptr<double>()[i * corners + corner] = weight;
        }
    }
    return found;
}

}  // namespace

Input from_rows(const at::Tensor& coordinates, const at::Tensor& features,
                const InputOptions& options) {
    HODO_CHECK(features.dim() == 2 && features.size(0) == coordinates.size(0),
               "{} rows of coordinates do not match features with {} rows", coordinates.size(0),
               features.dim() > 0 ? features.size(0) : 0);
    auto grouping = std::make_shared<Grouping>(
        group_rows(read_voxels(coordinates, options.event_column), options.stride, options.events));
    const bool is_finest = options.stride == Triple{1, 1, 1};
    const auto voxels = grouping->voxels->voxels();
    for (const auto& voxel : voxels.first(is_finest ? 0 : voxels.size())) {
        HODO_CHECK(floor_to(voxel, options.stride) == voxel,
                   "voxel ({}, {}, {}) is not a multiple of the stride ({}, {}, {})", voxel.x,
                   voxel.y, voxel.z, options.stride[0], options.stride[1], options.stride[2]);
    }
    const bool sums = options.merge == Merge::sum || options.merge == Merge::mean;
    const auto lists = std::make_shared<const RowLists>(voxel_lists(*grouping));
    auto values = sum_over(sums ? *lists : chosen_lists(*grouping, options.merge), features);
    if (options.merge == Merge::mean) values = values / list_lengths(*lists->there, values);
    return {{grouping->voxels, values, std::make_shared<Maps>()}, grouping, lists};
}

at::Tensor to_rows(const SparseTensor& x, const Input& input) {
    require_same_voxels(x, input.tensor);
    return sum_over(input.lists->turned(), x.features);
}

at::Tensor coordinate_tensor(const Coordinates& coordinates, EventColumn event_column) {
    auto table = at::empty({coordinates.size(), 4}, at::kInt);
    auto* c = table.data_ptr<std::int32_t>();
    for (const auto& v : coordinates.voxels()) {
        const auto row = event_column == EventColumn::first ? std::array{v.batch, v.x, v.y, v.z}
                                                            : std::array{v.x, v.y, v.z, v.batch};
        c = std::copy(row.begin(), row.end(), c);
    }
    return table;
}

SparseTensor concatenate(const SparseTensor& a, const SparseTensor& b) {
    require_same_voxels(a, b);
    HODO_CHECK(a.features.scalar_type() == b.features.scalar_type(),
               "tensors of different types cannot be joined; convert one");
    return a.with(JoinFunction::apply(a.features, b.features));
}

SparseTensor add(const SparseTensor& a, const SparseTensor& b) {
    require_same_voxels(a, b);
    return a.with(a.features + b.features);
}

at::Tensor slice(const SparseTensor& x, const at::Tensor& points) {
    return find_corners(x, points, Reach::cell).gather(x.features);
}

at::Tensor interpolate(const SparseTensor& x, const at::Tensor& points) {
    return find_corners(x, points, Reach::corners).gather(x.features);
}

}  // namespace hodo::sparse
