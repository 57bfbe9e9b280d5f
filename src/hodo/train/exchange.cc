#include "hodo/train/exchange.hh"

#include <algorithm>
#include <cmath>
#include <mutex>

#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/variable.h>

#include "hodo/base/error.hh"
#include "hodo/tensor/torch.hh"
#include "hodo/train/ranks.hh"

namespace hodo::train {

namespace {

/// Parameters of one message: their gradients one after the other, then for each whether it had a
/// gradient.
struct Bucket {
    std::vector<std::size_t> members;
    std::vector<std::int64_t> offsets;
    std::int64_t length = 0;
    at::Tensor message;
    at::Tensor own;  ///< Sum of the numbers that this rank sent: finite if they are.
    std::vector<bool> filled;
    std::size_t missing = 0;
    std::unique_ptr<Ranks::Pending> pending;
};

struct Place {
    std::size_t bucket = 0, member = 0;
};

}  // namespace

struct GradientExchange::Body {
    std::vector<tensor::NamedParameter> parameters;
    std::vector<Bucket> buckets;
    std::vector<Place> places;
    std::vector<std::shared_ptr<torch::autograd::Node>> accumulators;
    std::vector<std::uintptr_t> hooks;  // Keys of what `watch` has added to them.
    std::mutex mutex;  // On other devices than the CPU backward runs in a thread of its own.
    Ranks* ranks = nullptr;
    std::size_t sent = 0, sent_early = 0;

    const at::Tensor& parameter(std::size_t index) const { return *parameters[index].tensor; }
    void pack(std::int64_t limit);
    void watch(std::size_t index);
    void start();
    void fill(std::size_t index);
    void send_full();
    void unpack(Bucket& bucket);
};

namespace {

/// Called by backward after a parameter's gradient has been added to.
template <class Body>
class AfterAccumulation final : public torch::autograd::FunctionPostHook {
  public:
    AfterAccumulation(Body& body, std::size_t index) : body_(body), index_(index) {}
    torch::autograd::variable_list operator()(const torch::autograd::variable_list& outputs,
                                              const torch::autograd::variable_list&) override {
        const std::lock_guard guard(body_.mutex);
        if (body_.ranks != nullptr) {
            body_.fill(index_);
            body_.send_full();
        }
        return outputs;
    }

  private:
    Body& body_;
    std::size_t index_;
};

}  // namespace

void GradientExchange::Body::pack(std::int64_t limit) {
    places.resize(parameters.size());
    accumulators.resize(parameters.size());
    hooks.resize(parameters.size());
    for (auto index = parameters.size(); index-- > 0;) {
        const auto& tensor = parameter(index);
        const bool fits =
            !buckets.empty() && buckets.back().length + tensor.numel() <= limit &&
            parameter(buckets.back().members.front()).options().type_equal(tensor.options());
        if (!fits) buckets.emplace_back();
        auto& bucket = buckets.back();
        places[index] = {buckets.size() - 1, bucket.members.size()};
        bucket.members.push_back(index);
        bucket.offsets.push_back(bucket.length);
        bucket.length += tensor.numel();
    }
}

/// The node that adds to a gradient lives as long as a graph or we hold it.
void GradientExchange::Body::watch(std::size_t index) {
    auto node = torch::autograd::impl::grad_accumulator(parameter(index));
    if (node == accumulators[index]) return;
    hooks[index] = node->add_post_hook(std::make_unique<AfterAccumulation<Body>>(*this, index));
    accumulators[index] = std::move(node);
}

void GradientExchange::Body::start() {
    for (auto& bucket : buckets) {
        const auto& like = parameter(bucket.members.front());
        const auto length = bucket.length + static_cast<std::int64_t>(bucket.members.size());
        if (bucket.message.defined()) {
            bucket.message.zero_();
        } else {
            bucket.message = at::zeros({length}, like.options().requires_grad(false));
        }
        bucket.filled.assign(bucket.members.size(), false);
        bucket.missing = bucket.members.size();
        bucket.pending.reset();
    }
    sent = 0;
    sent_early = 0;
}

void GradientExchange::Body::fill(std::size_t index) {
    const auto [number, member] = places[index];
    auto& bucket = buckets[number];
    if (bucket.filled[member]) return;
    bucket.filled[member] = true;
    --bucket.missing;
    const at::NoGradGuard no_gradients;
    const auto& gradient = parameter(index).grad();
    if (!gradient.defined()) return;
    bucket.message.narrow(0, bucket.offsets[member], gradient.numel())
        .copy_(gradient.reshape({-1}));
    bucket.message.narrow(0, bucket.length + static_cast<std::int64_t>(member), 1).fill_(1);
}

void GradientExchange::Body::send_full() {
    for (; sent < buckets.size() && buckets[sent].missing == 0; ++sent) {
        const at::NoGradGuard no_gradients;
        buckets[sent].own = buckets[sent].message.sum();
        buckets[sent].pending = ranks->begin_sum(buckets[sent].message);
    }
}

void GradientExchange::Body::unpack(Bucket& bucket) {
    const at::NoGradGuard no_gradients;
    const auto holders = bucket.message.narrow(0, bucket.length, std::ssize(bucket.members))
                             .to(at::kCPU, at::kDouble);
    const auto* holder = holders.data_ptr<double>();
    for (std::size_t member = 0; member < bucket.members.size(); ++member) {
        if (holder[member] == 0) continue;
        const auto& tensor = parameter(bucket.members[member]);
        auto& gradient = tensor.mutable_grad();
        if (!gradient.defined()) gradient = at::empty_like(tensor);
        gradient.copy_(
            bucket.message.narrow(0, bucket.offsets[member], tensor.numel()).view(tensor.sizes()));
    }
}

GradientExchange::GradientExchange(std::vector<tensor::NamedParameter> parameters,
                                   std::int64_t bucket)
    : body_(std::make_unique<Body>()) {
    body_->parameters = std::move(parameters);
    body_->pack(bucket);
}

GradientExchange::~GradientExchange() {
    if (!body_) return;
    // A graph may outlive us and must not call back.
    for (std::size_t i = 0; i < body_->accumulators.size(); ++i) {
        if (body_->accumulators[i]) body_->accumulators[i]->del_post_hook(body_->hooks[i]);
    }
}

GradientExchange::GradientExchange(GradientExchange&&) noexcept = default;

void GradientExchange::begin(Ranks& ranks) {
    auto& body = *body_;
    HODO_DOOR(body.ranks == nullptr);
    for (std::size_t i = 0; i < body.parameters.size(); ++i) body.watch(i);
    body.start();
    body.ranks = &ranks;
}

void GradientExchange::finish(Ranks& ranks) {
    auto& body = *body_;
    if (body.ranks == nullptr) begin(ranks);
    const std::lock_guard guard(body.mutex);
    body.sent_early = body.sent;
    for (std::size_t i = 0; i < body.parameters.size(); ++i) body.fill(i);
    body.send_full();
    body.ranks = nullptr;
    for (auto& bucket : body.buckets) {
        bucket.pending->wait();
        bucket.pending.reset();
        body.unpack(bucket);
    }
}

bool GradientExchange::own_are_finite() const {
    return std::all_of(body_->buckets.begin(), body_->buckets.end(), [](const Bucket& bucket) {
        return !bucket.own.defined() || std::isfinite(bucket.own.item<double>());
    });
}

std::int64_t GradientExchange::buckets() const {
    return std::ssize(body_->buckets);
}

std::int64_t GradientExchange::sent_early() const {
    return static_cast<std::int64_t>(body_->sent_early);
}

}  // namespace hodo::train
