/// The half of the table of verbs that needs LibTorch, and the library's one entry point.

#include "hodo/tensor/doctor.hh"
#include "hodo/tensor/failure.hh"
#include "hodo/workflow/lartpc/learn/verbs.hh"
#include "hodo/workflow/om2vec/learn/verbs.hh"
#include "hodo/workflow/workflow.hh"

#include <cstdio>
#include <iterator>

namespace hodo::workflow {

namespace {

/// The rest of `hodo doctor`: what LibTorch stands on here.
void doctor(const Job&) {
    const auto found = tensor::examine();
    std::string text;
    text += base::format("LibTorch       {}\n", found.libtorch);
    text += base::format("BLAS           {}, {:.0f} GFLOP/s on {} threads\n", found.blas,
                         found.gflops, found.measured_threads);
    text += base::format("vector level   {}\n", found.vector_level);
    text += base::format("GPU            {}\n",
                         found.devices.empty() ? "none" : base::join(found.devices, ", "));
    for (const auto& warning : found.warnings()) text += "warning: " + warning + "\n";
    std::fwrite(text.data(), 1, text.size(), stdout);
}

/// The verb with the exceptions of LibTorch that no narrower place has named turned into ours.
template <void (*verb)(const Job&)>
void to_the_seam(const Job& job) {
    tensor::guarded("this network on this machine", [&] { verb(job); });
}

const LearningVerb table[] = {
    {"", "doctor", to_the_seam<doctor>},
    {"om2vec", "train", to_the_seam<om2vec::run_train>},
    {"om2vec", "apply", to_the_seam<om2vec::run_apply>},
    {"om2vec", "decode", to_the_seam<om2vec::run_decode>},
    {"om2vec", "evaluate", to_the_seam<om2vec::run_evaluate>},
    {"lartpc", "train", to_the_seam<lartpc::run_train>},
    {"lartpc", "apply", to_the_seam<lartpc::run_apply>},
};

}  // namespace

}  // namespace hodo::workflow

extern "C" int hodo_learn_verbs(const hodo::workflow::LearningVerb** verbs) {
    *verbs = hodo::workflow::table;
    return static_cast<int>(std::size(hodo::workflow::table));
}
