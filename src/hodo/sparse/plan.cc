#include "hodo/sparse/detail/plan.hh"
#include "hodo/base/error.hh"

namespace hodo::sparse {

at::Tensor grouped(const SparseTensor& x, const at::Tensor& weight, const Kernel& kernel) {
    auto view = weight;
    if (view.dim() == 2) view = view.unsqueeze(0);
    if (view.dim() == 3) view = view.unsqueeze(1);
    HODO_CHECK(view.dim() == 4 && view.size(0) == kernel.volume(),
               "a kernel of {} x {} x {} cells does not match weights for {} cells", kernel.size[0],
               kernel.size[1], kernel.size[2], weight.size(0));
    HODO_CHECK(view.size(1) * view.size(2) == x.channels(),
               "weights for {} channels do not match an input with {}", view.size(1) * view.size(2),
               x.channels());
    HODO_CHECK(weight.scalar_type() == x.features.scalar_type(),
               "weights and input of a sparse layer have different types");
    return view;
}

SharedPlan forward_plan(const SparseTensor& x, const ConvSpec& spec) {
    const auto output = x.maps->coarser(x.coordinates, spec.kernel, spec.stride, spec.sites);
    return c10::make_intrusive<Plan>(x.maps->rulebook(output, x.coordinates, spec.kernel),
                                     Direction::there);
}

SharedPlan transposed_plan(const SparseTensor& x, const ConvSpec& spec,
                           const SharedCoordinates& target) {
    for (std::size_t a = 0; a < 3; ++a) {
        HODO_CHECK(target->stride()[a] * spec.stride[a] == x.coordinates->stride()[a],
                   "a transposed layer of stride {} leads from a level of stride {} to one of "
                   "stride {} on axis {}; give the level it came from",
                   spec.stride[a], x.coordinates->stride()[a], target->stride()[a], a);
    }
    return c10::make_intrusive<Plan>(x.maps->rulebook(x.coordinates, target, spec.kernel),
                                     Direction::back);
}

}  // namespace hodo::sparse
