#pragma once
/// Processes (or threads) that train one model together: who am I, how many, sum, wait.

#include <memory>
#include <vector>

namespace at {
class Tensor;
}

namespace hodo::train {

class Ranks {
  public:
    virtual ~Ranks() = default;
    virtual int rank() const = 0;
    virtual int size() const = 0;
    /// Replaces `values` on every rank by the sum over ranks, added in the order of ranks.
    virtual void sum(at::Tensor& values) = 0;
    virtual void barrier() = 0;
};

/// The only rank of a run without company.
Ranks& single_rank();

/// `count` ranks for as many threads of this process; each thread uses its own.
std::vector<std::unique_ptr<Ranks>> thread_ranks(int count);

}  // namespace hodo::train
