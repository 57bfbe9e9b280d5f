#include "hodo/nn/kernels/reference.hh"

#include <algorithm>
#include <cmath>
#include <vector>

namespace hodo::nn {

namespace {

/// One head of one sequence.
struct Head {
    const AttentionTask& task;
    std::int64_t sequence, head;
    std::int64_t first_query, queries, first_key, keys;

    Head(const AttentionTask& all, std::int64_t part)
        : task(all), sequence(part / all.heads), head(part % all.heads) {
        const auto place = task.keys_of == KeysOf::shared ? 0 : sequence;
        first_query = task.query_offsets[sequence];
        queries = task.query_offsets[sequence + 1] - first_query;
        first_key = task.key_offsets[place];
        keys = task.key_offsets[place + 1] - first_key;
    }

    double number(ConstRows rows, std::int64_t row, std::int64_t c) const {
        return static_cast<double>(read_number(task.storage, rows, row, head * task.head_size + c));
    }
    double product(ConstRows a, std::int64_t row_a, ConstRows b, std::int64_t row_b) const {
        double sum = 0.0;
        for (std::int64_t c = 0; c < task.head_size; ++c) {
            sum += number(a, row_a, c) * number(b, row_b, c);
        }
        return sum;
    }
    bool sees(std::int64_t j) const {
        return task.visible == nullptr || task.visible[first_key + j] != 0;
    }
    double score(std::int64_t i, std::int64_t j) const {
        return product(task.q, first_query + i, task.k, first_key + j) /
               std::sqrt(static_cast<double>(task.head_size));
    }
    /// The factor of the mask: 0 or its scale.
    double factor(std::int64_t i, std::int64_t j) const {
        if (task.mask.threshold == 0) return 1.0;
        auto mask = sequence_mask(task.mask, task.first_sequence + sequence);
        mask.first_row = 0;
        return is_kept(mask, i * task.heads + head, j) ? static_cast<double>(mask.scale) : 0.0;
    }
    float& log_sum(std::int64_t i) const {
        return task.log_sums[head * task.query_offsets[task.sequences] + first_query + i];
    }
};

/// Unnormalised weights of query i and their base-2 log sum; a query that sees nothing has none.
struct Weights {
    std::vector<double> value;
    double sum = 0.0, maximum = -1e300;

    Weights(const Head& head, std::int64_t i) : value(static_cast<std::size_t>(head.keys)) {
        for (std::int64_t j = 0; j < head.keys; ++j) {
            if (head.sees(j)) maximum = std::max(maximum, head.score(i, j));
        }
        for (std::int64_t j = 0; j < head.keys; ++j) {
            if (!head.sees(j)) continue;
            sum += value[static_cast<std::size_t>(j)] = std::exp(head.score(i, j) - maximum);
        }
    }
    double log_sum() const { return sum > 0.0 ? (maximum + std::log(sum)) / std::log(2.0) : 1e30; }
};

}  // namespace

void attend_reference(const AttentionTask& task, std::int64_t begin, std::int64_t end, float*) {
    for (auto part = begin; part < end; ++part) {
        const Head head(task, part);
        for (std::int64_t i = 0; i < head.queries; ++i) {
            const Weights weights(head, i);
            if (task.log_sums != nullptr) head.log_sum(i) = static_cast<float>(weights.log_sum());
            for (std::int64_t c = 0; c < task.head_size; ++c) {
                double value = 0.0;
                for (std::int64_t j = 0; j < head.keys; ++j) {
                    value += weights.value[static_cast<std::size_t>(j)] * head.factor(i, j) *
                             head.number(task.v, head.first_key + j, c);
                }
                write_number(task.storage, task.out, head.first_query + i,
                             head.head * task.head_size + c,
                             weights.sum > 0.0 ? value / weights.sum : 0.0);
            }
        }
    }
}

void attend_gradient_reference(const AttentionGradient& gradient, std::int64_t begin,
                               std::int64_t end, float*) {
    const auto& task = gradient.task;
    const auto size = task.head_size;
    const double scale = 1.0 / std::sqrt(static_cast<double>(size));
    for (auto part = begin; part < end; ++part) {
        const Head head(task, part);
        std::vector<double> grad_q(static_cast<std::size_t>(head.queries * size));
        std::vector<double> grad_k(static_cast<std::size_t>(head.keys * size)), grad_v(grad_k);
        const auto add = [&](std::vector<double>& target, std::int64_t row, double weight,
                             ConstRows source, std::int64_t from) {
            for (std::int64_t c = 0; c < size; ++c) {
                target[static_cast<std::size_t>(row * size + c)] +=
                    weight * head.number(source, from, c);
            }
        };
        const ConstRows out{task.out.data, task.out.stride};
        for (std::int64_t i = 0; i < head.queries; ++i) {
            const auto query = head.first_query + i;
            const double log_sum = static_cast<double>(head.log_sum(i)) * std::log(2.0);
            const double delta = head.product(gradient.grad_out, query, out, query);
            for (std::int64_t j = 0; j < head.keys; ++j) {
                if (!head.sees(j)) continue;
                const auto key = head.first_key + j;
                const double p = std::exp(head.score(i, j) - log_sum), kept = head.factor(i, j);
                const double dp = head.product(gradient.grad_out, query, task.v, key) * kept;
                const double ds = p * (dp - delta) * scale;
                add(grad_q, i, ds, task.k, key);
                add(grad_k, j, ds, task.q, query);
                add(grad_v, j, p * kept, gradient.grad_out, query);
            }
        }
        const auto write = [&](const std::vector<double>& values, Rows target, std::int64_t first) {
            for (std::size_t i = 0; i < values.size(); ++i) {
                const auto place = static_cast<std::int64_t>(i);
                write_number(task.storage, target, first + place / size,
                             head.head * size + place % size, values[i]);
            }
        };
        const auto first_key =
            task.keys_of == KeysOf::shared ? head.sequence * head.keys : head.first_key;
        write(grad_q, gradient.grad_q, head.first_query);
        write(grad_k, gradient.grad_k, first_key);
        write(grad_v, gradient.grad_v, first_key);
    }
}

}  // namespace hodo::nn
