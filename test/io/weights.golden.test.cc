#include "hodo/io/weights.hh"

#include <algorithm>
#include <cmath>
#include <iostream>

#include "hodo/base/error.hh"
#include "hodo/base/random.hh"
#include "hodo/io/atomic_file.hh"
#include "hodo/io/npz.hh"
#include "support/damage.hh"
#include "support/hash_weights.hh"
#include "support/reference.hh"

namespace {

using hodo::base::Path;
using hodo::io::Array;
using hodo::io::Json;
using hodo::io::WeightChoice;
using hodo::io::WeightFile;
using hodo::test::gunzip;
using hodo::test::reference_files;

constexpr auto containers = "*cases*.json";
constexpr auto packed_checkpoints = "*.ckpt.gz";

void say_found(const Path& file) {
    std::cout << "[   CASE   ] " << file.filename().string() << '\n';
}

/// The weight file beside its expected content: `x.json` describes `x.pt`.
Path container_of(const Path& description) {
    return Path(description).replace_extension(".pt");
}

/// Descriptions of containers; other JSON files of the folder have no `.pt` beside them.
std::vector<Path> container_descriptions() {
    std::vector<Path> found;
    for (const auto& file : reference_files("om2vec", containers)) {
        if (std::filesystem::exists(container_of(file))) found.push_back(file);
    }
    return found;
}

WeightFile open_packed(const Path& file, WeightChoice choice = WeightChoice::automatic) {
    return WeightFile::parse(hodo::io::make_blob(gunzip(file)), file.string(), choice);
}

void expect_values(const Array& array, const Json& expected, const std::string& name) {
    EXPECT_EQ(hodo::io::name(array.dtype), expected.at("dtype").text()) << name;
    std::vector<std::int64_t> shape;
    for (const auto& size : expected.at("shape").items()) shape.push_back(size.integer());
    EXPECT_EQ(array.shape, shape) << name;
    const auto values = array.doubles();
    const auto& wanted = expected.at("values").items();
    ASSERT_EQ(values.size(), wanted.size()) << name;
    for (std::size_t i = 0; i < values.size(); ++i) {
        EXPECT_EQ(values[i], wanted[i].number()) << name << '[' << i << ']';
    }
}

TEST(WeightsGolden, container_holds_every_type_and_stride_as_described) {
    const auto descriptions = container_descriptions();
    HODO_REQUIRE_REFERENCE(descriptions, "om2vec container cases");
    for (const auto& description : descriptions) {
        say_found(container_of(description));
        const auto expected = Json::parse(hodo::io::read_text(description), description.string());
        const auto file = WeightFile::open(container_of(description));
        EXPECT_EQ(file.format(), "pytorch");
        ASSERT_EQ(file.entries().size(), expected.members().size());
        for (const auto& [name, content] : expected.members()) {
            expect_values(file.get(name), content, name);
        }
    }
}

/// The seed of the golden file whose network has the shapes of `weights`; the reference seed
/// otherwise.
std::uint64_t seed_of(const WeightFile& weights) {
    const auto features = weights.get("initial_downsample.0.weight").shape.back();
    const auto latents = weights.get("mem_embedding").shape.front();
    for (const auto& golden : reference_files("om2vec", "golden_*.npz")) {
        const auto number = [&](const char* name) {
            return hodo::io::read_npz(golden, name).integers().front();
        };
        if (number("in_features") == features && number("latent_dim") == latents) {
            return static_cast<std::uint64_t>(number("seed"));
        }
    }
    return 20241017;
}

std::vector<float> rule(const WeightFile::Entry& entry, std::uint64_t seed) {
    return hodo::test::hash_weights(entry.name, entry.shape, seed);
}

TEST(WeightsGolden, checkpoint_holds_the_weights_of_the_rule) {
    const auto files = reference_files("om2vec", packed_checkpoints);
    HODO_REQUIRE_REFERENCE(files, "om2vec/*.ckpt.gz");
    for (const auto& path : files) {
        say_found(path);
        const auto file = open_packed(path);
        const auto seed = seed_of(file);
        for (const auto& entry : file.entries()) {
            EXPECT_EQ(file.get(entry.name).floats(), rule(entry, seed)) << entry.name;
        }
        EXPECT_GE(file.entries().size(), 137u);
    }
}

TEST(WeightsGolden, averaged_weights_are_an_eighth_of_the_signs) {
    const auto files = reference_files("om2vec", packed_checkpoints);
    HODO_REQUIRE_REFERENCE(files, "om2vec/*.ckpt.gz");
    for (const auto& path : files) {
        const auto last = open_packed(path);
        const auto average = open_packed(path, WeightChoice::swa);
        ASSERT_EQ(average.entries().size(), last.entries().size());
        for (const auto& entry : last.entries()) {
            const auto weights = last.get(entry.name).floats();
            const auto averages = average.get(entry.name).floats();
            ASSERT_EQ(averages.size(), weights.size()) << entry.name;
            std::size_t wrong = 0;
            for (std::size_t i = 0; i < weights.size(); ++i) {
                const auto sign = static_cast<float>((weights[i] > 0) - (weights[i] < 0));
                wrong += averages[i] == sign / 8 ? 0 : 1;
            }
            EXPECT_EQ(wrong, 0u) << entry.name;
        }
    }
}

TEST(WeightsGolden, hyper_parameters_agree_with_the_shapes) {
    const auto files = reference_files("om2vec", packed_checkpoints);
    HODO_REQUIRE_REFERENCE(files, "om2vec/*.ckpt.gz");
    for (const auto& path : files) {
        const auto file = open_packed(path);
        const auto& hyper = file.metadata().at("hyper_parameters");
        EXPECT_EQ(hyper.at("in_features").integer(),
                  file.get("initial_downsample.0.weight").shape.back());
        EXPECT_EQ(hyper.at("latent_dim").integer(), file.get("mem_embedding").shape.front());
        EXPECT_EQ(hyper.at("embed_dim").integer(), file.get("mem_embedding").shape.back());
        EXPECT_EQ(hyper.at("sensor_positional_encoding").boolean(),
                  file.has("sensor_positional_encoding.weight"));
        // A numpy scalar in the file: only a reader that understands those gives a whole number.
        const auto dataset_size = hyper.at("dataset_size").number();
        EXPECT_GT(dataset_size, 0);
        EXPECT_EQ(dataset_size, std::floor(dataset_size));
        const auto& fit = file.metadata().at("loops").at("fit_loop");
        EXPECT_EQ(file.metadata().at("epoch").integer(),
                  fit.at("epoch_progress").at("current").at("completed").integer());
        EXPECT_EQ(file.metadata().at("global_step").integer(),
                  fit.at("epoch_loop.state_dict").at("_batches_that_stepped").integer());
    }
}

TEST(WeightsGolden, optimizer_has_done_one_step_with_zero_moments) {
    const auto files = reference_files("om2vec", packed_checkpoints);
    HODO_REQUIRE_REFERENCE(files, "om2vec/*.ckpt.gz");
    for (const auto& path : files) {
        const auto file = open_packed(path);
        ASSERT_EQ(file.optimizer_count(), 1u);
        const auto optimizer = file.optimizer();
        ASSERT_EQ(optimizer.slots.size(), file.entries().size());
        for (std::size_t i = 0; i < optimizer.slots.size(); ++i) {
            const auto& slot = optimizer.slots[i];
            EXPECT_EQ(slot.parameter, static_cast<std::int64_t>(i));
            EXPECT_EQ(slot.step, 1);
            for (const auto* moment : {"exp_avg", "exp_avg_sq"}) {
                EXPECT_EQ(slot.moment(moment).shape, file.entries()[i].shape);
                const auto values = slot.moment(moment).floats();
                EXPECT_EQ(static_cast<std::size_t>(std::count(values.begin(), values.end(), 0.0f)),
                          values.size());
            }
        }
        const auto& group = optimizer.groups.items().at(0);
        EXPECT_EQ(group.at("params").items().size(), file.entries().size());
        EXPECT_EQ(group.at("lr").number(),
                  file.metadata().at("hyper_parameters").at("lr").number());
    }
}

/// Opens a file in memory and reads everything in it.
void read_all(std::string_view content) {
    const auto file = WeightFile::parse(hodo::io::make_blob(content), "damaged");
    file.all();
    for (std::size_t i = 0; i < file.optimizer_count(); ++i) file.optimizer(i);
}

TEST(WeightsGolden, every_truncation_of_a_container_is_an_error) {
    const auto descriptions = container_descriptions();
    HODO_REQUIRE_REFERENCE(descriptions, "om2vec container cases");
    for (const auto& description : descriptions) {
        const auto content = hodo::io::read_text(container_of(description));
        ASSERT_NO_THROW(read_all(content));
        for (std::size_t size = 0; size < content.size(); ++size) {
            EXPECT_THROW(read_all(std::string_view(content).substr(0, size)), hodo::base::Error)
                << size << " of " << content.size() << " bytes";
        }
    }
}

TEST(WeightsGolden, truncated_checkpoints_are_errors) {
    const auto files = reference_files("om2vec", packed_checkpoints);
    HODO_REQUIRE_REFERENCE(files, "om2vec/*.ckpt.gz");
    for (const auto& path : files) {
        const auto content = gunzip(path);
        for (std::size_t part = 0; part < 64; ++part) {
            const auto size = content.size() / 64 * part;
            EXPECT_THROW(read_all(std::string_view(content).substr(0, size)), hodo::base::Error);
        }
    }
}

TEST(WeightsGolden, damaged_containers_give_errors_or_values_and_nothing_else) {
    const auto descriptions = container_descriptions();
    HODO_REQUIRE_REFERENCE(descriptions, "om2vec container cases");
    for (const auto& description : descriptions) {
        const auto content = hodo::io::read_text(container_of(description));
        hodo::base::Random random(5, "damage");
        EXPECT_GT(hodo::test::refusals_of_damaged_copies(content, 3000, random, read_all), 300);
    }
}

/// Writes `file` again with everything it holds.
void write_again(const WeightFile& file, const Path& out) {
    hodo::io::Checkpoint checkpoint{file.all(), Json::object(), {}, {}};
    if (file.metadata().has("hyper_parameters")) {
        checkpoint.metadata["hyper_parameters"] = file.metadata().at("hyper_parameters");
    }
    for (std::size_t i = 0; i < file.optimizer_count(); ++i) {
        checkpoint.optimizers.push_back(file.optimizer(i));
    }
    hodo::io::write_checkpoint(out, checkpoint);
}

void expect_same(const WeightFile& a, const WeightFile& b) {
    ASSERT_EQ(a.entries().size(), b.entries().size());
    for (const auto& entry : a.entries()) {
        const auto left = a.get(entry.name), right = b.get(entry.name);
        EXPECT_EQ(left.dtype, right.dtype) << entry.name;
        EXPECT_EQ(left.shape, right.shape) << entry.name;
        EXPECT_TRUE(std::ranges::equal(left.bytes, right.bytes)) << entry.name;
    }
}

TEST(WeightsGolden, checkpoints_written_by_us_read_back_the_same) {
    std::vector<WeightFile> files;
    for (const auto& description : container_descriptions()) {
        files.push_back(WeightFile::open(container_of(description)));
    }
    for (const auto& path : reference_files("om2vec", packed_checkpoints)) {
        files.push_back(open_packed(path));
    }
    HODO_REQUIRE_REFERENCE(files, "om2vec checkpoints");
    const hodo::test::TemporaryFolder folder;
    for (const auto& file : files) {
        say_found(file.path());
        write_again(file, folder / "again.ckpt");
        const auto again = WeightFile::open(folder / "again.ckpt");
        expect_same(file, again);
        ASSERT_EQ(again.optimizer_count(), file.optimizer_count());
        if (file.metadata().has("hyper_parameters")) {
            EXPECT_EQ(again.metadata().at("hyper_parameters").dump(),
                      file.metadata().at("hyper_parameters").dump());
        }
        if (file.optimizer_count() > 0) {
            EXPECT_EQ(again.optimizer().groups.dump(), file.optimizer().groups.dump());
            EXPECT_EQ(again.optimizer().slots.size(), file.optimizer().slots.size());
        }
    }
}

TEST(WeightsGolden, every_weight_file_of_the_reference_opens) {
    std::vector<Path> files;
    std::error_code none;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(hodo::test::reference_folder(), none)) {
        const auto name = entry.path().filename().string();
        for (const auto* ending : {".pt", ".pth", ".pth.tar", ".ckpt", ".safetensors"}) {
            if (name.ends_with(ending)) files.push_back(entry.path());
        }
    }
    HODO_REQUIRE_REFERENCE(files, "weight files");
    for (const auto& path : files) {
        say_found(path);
        const auto file = WeightFile::open(path);
        EXPECT_FALSE(file.entries().empty()) << path;
        for (const auto& entry : file.entries()) {
            EXPECT_EQ(file.get(entry.name).shape, entry.shape) << entry.name;
        }
    }
}

}  // namespace
