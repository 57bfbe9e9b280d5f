#include "hodo/sparse/norm.hh"

#include "hodo/sparse/detail/sums.hh"

namespace hodo::sparse {

at::Tensor layer_norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                      double epsilon) {
    return at::layer_norm(x, {x.size(1)}, weight.reshape({-1}), bias.reshape({-1}), epsilon);
}

at::Tensor instance_norm(const SparseTensor& x, const at::Tensor& weight, const at::Tensor& bias,
                         double epsilon) {
    const auto lists = event_lists(*x.coordinates);
    const auto lengths = list_lengths(*lists.there, x.features);
    const auto event_mean = [&](const at::Tensor& values) {
        return sum_over(lists, values) / lengths;
    };
    const auto spread = [&](const at::Tensor& values) { return sum_over(lists.turned(), values); };
    const auto centred = x.features - spread(event_mean(x.features));
    const auto inverse = at::rsqrt(event_mean(centred * centred) + epsilon);
    return centred * spread(inverse) * weight.reshape({-1}) + bias.reshape({-1});
}

at::Tensor global_response_norm(const SparseTensor& x, const at::Tensor& gamma,
                                const at::Tensor& beta, Scope scope, double epsilon) {
    const auto lists =
        scope == Scope::event ? event_lists(*x.coordinates) : batch_list(*x.coordinates);
    const auto squares = sum_over(lists, x.features * x.features);
    // The root's slope at 0 is taken as 0, so that an empty channel gives no infinite gradient.
    const auto zero = squares == 0;
    const auto length = at::sqrt(squares.masked_fill(zero, 1.0)).masked_fill(zero, 0.0);
    const auto response = length / (length.mean(1, true) + epsilon);
    const auto spread = sum_over(lists.turned(), response);
    return x.features * spread * gamma.reshape({-1}) + beta.reshape({-1}) + x.features;
}

}  // namespace hodo::sparse
