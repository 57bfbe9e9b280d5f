#pragma once
/// Processes (or threads) that train one model together: who am I, how many, sum, wait.
///
/// The number of ranks is like the number of threads: it changes how long a step takes, not what it
/// computes. Every rank holds all parameters and works on its part of each batch; gradients are
/// added before the step, so parameters stay equal on all ranks, bit for bit.

#include "hodo/base/error.hh"
#include "hodo/base/launch.hh"
#include "hodo/train/ranks_options.hh"

#include <functional>
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
    bool first() const { return rank() == 0; }
    /// Replaces `values` on every rank by the sum over ranks. The order of the terms is fixed for a
    /// number of ranks and a shape, and the result is the same on every rank.
    virtual void sum(at::Tensor& values) = 0;
    virtual void barrier() = 0;

    /// A sum that has begun; `values` may not be touched before `wait`.
    class Pending {
      public:
        virtual ~Pending() = default;
        virtual void wait() = 0;
    };
    /// Begins a sum; all ranks begin theirs in the same order. Where nothing can happen in the
    /// background the sum is done when this returns.
    virtual std::unique_ptr<Pending> begin_sum(at::Tensor& values);

    /// Called once by a rank that cannot go on, with its error; wakes the others. Returns the error
    /// to end with: its message is empty when another rank has the word.
    virtual base::Error give_up(const base::Error& error) { return error; }
};

/// A rank vanished, or does not answer, so that nothing more can be computed together.
class LostRank : public base::Error {
  public:
    using base::Error::Error;
};

/// The only rank of a run without company.
Ranks& single_rank();

/// `count` ranks for as many threads of this process; each thread uses its own.
std::vector<std::unique_ptr<Ranks>> thread_ranks(int count);

/// Ranks in processes of their own (train/ranks_c10d.cc). Waits for all of them; an error says who
/// is missing. Sums of tensors on the CPU go through Gloo; on CUDA through NCCL where LibTorch has
/// it, else through the CPU.
std::unique_ptr<Ranks> join_ranks(const base::Launch& launch, const RanksOptions& options);

/// Does this rank's part and ends it with the others: nobody leaves while another one still saves,
/// for a starter may end all as soon as one has left. The error of a rank that cannot go on goes
/// through `give_up`.
void work_together(Ranks& ranks, const std::function<void()>& work);

/// Runs `work` with the ranks of this process's job: alone, or with the others that its starter
/// started. However many ranks fail, one error has a message.
void with_ranks(const RanksOptions& options,
                const std::function<void(Ranks& ranks, const base::Launch& launch)>& work);

}  // namespace hodo::train
