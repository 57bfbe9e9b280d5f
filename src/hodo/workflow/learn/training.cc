#include "hodo/workflow/learn/training.hh"

#include "hodo/tensor/doctor.hh"

#include <cstdio>

namespace hodo::workflow {

namespace {

train::Existing existing_of(Existing existing) {
    switch (existing) {
        case Existing::refuse:
            return train::Existing::refuse;
        case Existing::overwrite:
            return train::Existing::overwrite;
        case Existing::resume:
            return train::Existing::resume;
    }
    return train::Existing::refuse;
}

}  // namespace

tensor::Device rank_device(const Job& job, const base::Launch& launch) {
    auto device = tensor::parse_device(job.device);
    const int known = tensor::cuda_devices();
    if (device.kind == tensor::Device::Kind::cuda && launch.local_size > 1 && known > 0) {
        device.index = (device.index + launch.local_rank) % known;
    }
    return device;
}

train::RunInfo run_info(const Job& job, const std::string& folder, std::uint64_t seed,
                        const train::Ranks& ranks) {
    const auto title = job.workflow + " " + job.verb;
    auto extra = io::Json::object();
    if (ranks.size() > 1) extra["ranks"] = ranks.size();
    return {.folder = folder,
            .existing = existing_of(job.existing),
            .title = title,
            .config = base::format("workflow: {}\n{}:\n{}", job.workflow, job.verb, job.resolved),
            .command_line = job.command_line,
            .replay = base::format("hodo {} {}/config.yaml --replay FOLDER", title, folder),
            .seed = seed,
            .device = job.device,
            .threads = job.threads,
            .rank = ranks.rank(),
            .inputs = {},
            .libraries = tensor::library_line(),
            .extra = extra};
}

std::unique_ptr<train::Journal> open_journal(train::RunInfo info,
                                             const train::JournalOptions& options,
                                             train::Ranks& ranks) {
    if (!ranks.first()) ranks.barrier();
    auto journal = std::make_unique<train::Journal>(std::move(info), options);
    if (ranks.first()) ranks.barrier();
    return journal;
}

train::FeedOptions validation_feed(train::FeedOptions training) {
    training.order = train::RowOrder::stored;
    training.last_batch = train::LastBatch::keep;
    return training;
}

void print_scalars(std::string_view set, const train::Scalars& scalars) {
    for (const auto& [name, value] : scalars.entries()) {
        std::fputs(base::format("{}_{} {:.6g}\n", set, name, value).c_str(), stdout);
    }
}

}  // namespace hodo::workflow
