/// The verb `apply`: voxels to the outputs of a trained network.

#include "hodo/base/count.hh"
#include "hodo/base/error.hh"
#include "hodo/base/log.hh"
#include "hodo/base/progress.hh"
#include "hodo/detector/lartpc/file_names.hh"
#include "hodo/tensor/device.hh"
#include "hodo/tensor/parameters.hh"
#include "hodo/tensor/torch.hh"
#include "hodo/train/session.hh"
#include "hodo/workflow/array_job.hh"
#include "hodo/workflow/lartpc/inference.hh"
#include "hodo/workflow/lartpc/inference_files.hh"
#include "hodo/workflow/lartpc/learn/network.hh"
#include "hodo/workflow/lartpc/learn/verbs.hh"
#include "hodo/workflow/lartpc/original_config.hh"
#include "hodo/workflow/lartpc/train_options.hh"
#include "hodo/workflow/output.hh"
#include "hodo/workflow/shard.hh"

namespace hodo::lartpc {

namespace {

/// What decides the outputs beside their events.
io::KeyValues facts_of(const Network& network, const ApplyOptions& options, std::int64_t epoch) {
    auto facts = provenance(network);
    // The same weights may be read from another place.
    std::erase_if(facts, [](const auto& fact) { return fact.first == "hodo_weights"; });
    auto known = options;
    base::FieldList fields;
    known.describe(fields);
    for (const auto& entry : fields.entries()) {
        if (entry.path == "threshold" || entry.path == "round" || entry.path == "z_segments") {
            facts.emplace_back(entry.path, entry.value);
        }
    }
    facts.emplace_back("epoch", std::to_string(epoch));
    return facts;
}

/// Every file stands alone, so parts are joined by their files' names.
workflow::ArrayJob array_of(const std::vector<base::Path>& files, const ApplyOptions& options,
                            std::int64_t epoch, const io::KeyValues& facts,
                            const Predict& predict) {
    workflow::ArrayJob array{
        .output = options.output, .inputs = files, .circumstances = facts, .make = {}, .join = {}};
    array.make = [&files, &options, &predict, epoch](const base::Path& folder,
                                                     const workflow::Shard& shard) {
        const auto share = workflow::files_of_shard(files, shard);
        base::Progress progress("lartpc apply", std::ssize(share), "files");
        infer_files(share, folder, epoch, options, predict, [&] { progress.advance(); });
        progress.finish();
    };
    array.join = [output = array.output, &facts](const std::vector<workflow::Part>& parts) {
        note_facts(output / "network.json", facts);
        auto placed = workflow::place_files(parts, output);
        placed.push_back(output / "network.json");
        return placed;
    };
    return array;
}

/// What the training of a run directory did to the features is done again, unless the call says
/// otherwise. Directories of the published code keep their configurations in `configs`.
void adopt_transforms(ApplyOptions& options, const base::Config& given) {
    const base::Path run = options.weights;
    base::Path file = run / "config.yaml";
    for (int n = 0; std::filesystem::exists(run / base::format("configs/{}.yaml", n)); ++n) {
        file = run / base::format("configs/{}.yaml", n);
    }
    if (!std::filesystem::is_directory(run) || !std::filesystem::exists(file)) return;
    const auto whole = base::Config::read(file);
    const auto translated = translate_original(whole, "train");
    const auto training = (translated ? *translated : whole.section("train")).as<TrainOptions>();
    const auto& transforms = training.data.transforms;
    if (!given.has("z_segments")) options.z_segments = transforms.z_segments;
    if (!given.has("round")) options.round = transforms.round;
}

}  // namespace

void run_apply(const workflow::Job& job) {
    auto options = job.config.as<ApplyOptions>();
    HODO_CHECK(!options.input.empty() && !options.output.empty(),
               "input and output are needed; write 'hodo lartpc apply INPUT OUTPUT --weights RUN'");
    adopt_transforms(options, job.config);
    tensor::prepare_process();
    const train::NoGradients no_gradients;
    auto network = load_network(options.weights);
    const auto device = tensor::torch_device(tensor::parse_device(job.device));
    for (auto& [name, parameter] : tensor::named_parameters(network.model)) {
        *parameter = parameter->to(device);
    }
    const auto epoch = options.epoch >= 0 ? options.epoch : network.epoch.value_or(0);
    const Predict predict = [&](const VoxelBatch& batch) { return network.model.predict(batch); };
    const auto files = files_of_tpcs(options.input, "xy", options.tpcs);
    const auto facts = facts_of(network, options, epoch);
    if (job.portion != workflow::Portion::whole) {
        return workflow::run_array(job, array_of(files, options, epoch, facts, predict));
    }
    workflow::claim_folder(options.output, job.existing);
    note_facts(base::Path(options.output) / "network.json", facts);
    base::Progress progress("lartpc apply", std::ssize(files), "files");
    const auto count =
        infer_files(files, options.output, epoch, options, predict, [&] { progress.advance(); });
    progress.finish();
    workflow::record_run(options.output, job, files);
    base::say("wrote the outputs of {} in {} to {}; {} there already",
              base::counted(count.voxels, "voxels"), base::counted(count.files, "files"),
              options.output, count.present);
}

}  // namespace hodo::lartpc
