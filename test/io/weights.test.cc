#include "hodo/io/weights.hh"

#include <gmock/gmock.h>

#include "hodo/base/error.hh"
#include "hodo/base/random.hh"
#include "hodo/io/atomic_file.hh"
#include "hodo/io/zip.hh"
#include "support/damage.hh"
#include "support/reference.hh"

namespace {

using hodo::base::Path;
using hodo::io::Array;
using hodo::io::Checkpoint;
using hodo::io::Json;
using hodo::io::make_array;
using hodo::io::NamedArrays;
using hodo::io::WeightChoice;
using hodo::io::WeightFile;
using hodo::test::error_of;
using hodo::test::TemporaryFolder;
using testing::HasSubstr;

Array floats(std::vector<float> values, std::vector<std::int64_t> shape) {
    return make_array(std::span<const float>(values), std::move(shape));
}

NamedArrays example() {
    return {{"layer.weight", floats({1, 2, 3, 4, 5, 6}, {2, 3})},
            {"layer.bias", floats({-1.5f, 0.25f}, {2})},
            {"steps", make_array(std::vector<std::int64_t>{1'099'511'627'776})},
            {"scalar", floats({3.5f}, {})},
            {"empty", floats({}, {0, 3})}};
}

void expect_example(const WeightFile& file) {
    const auto wanted = example();
    ASSERT_EQ(file.entries().size(), wanted.size());
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        EXPECT_EQ(file.entries()[i].name, wanted[i].name);
        EXPECT_EQ(file.entries()[i].shape, wanted[i].array.shape);
        EXPECT_EQ(file.get(wanted[i].name).doubles(), wanted[i].array.doubles());
    }
}

TEST(Weights, round_trip_through_every_format) {
    const TemporaryFolder folder;
    const std::pair<std::string, std::string> cases[] = {{"a.pt", "pytorch"},
                                                         {"a.pth", "pytorch"},
                                                         {"a.ckpt", "pytorch"},
                                                         {"a.npz", "npz"},
                                                         {"a.safetensors", "safetensors"}};
    for (const auto& [name, format] : cases) {
        hodo::io::write_weights(folder / name, example());
        const auto file = WeightFile::open(folder / name);
        EXPECT_EQ(file.format(), format);
        expect_example(file);
    }
}

TEST(Weights, tell_their_format_from_the_content) {
    const TemporaryFolder folder;
    hodo::io::write_weights(folder / "a.safetensors", example());
    std::filesystem::rename(folder / "a.safetensors", folder / "a.pt");
    EXPECT_EQ(WeightFile::open(folder / "a.pt").format(), "safetensors");
}

TEST(Weights, tell_safetensors_whatever_the_length_of_their_header) {
    // 128 looks like a pickle, 19280 like a zip file, 35615 like gzip.
    const TemporaryFolder folder;
    for (const std::size_t length : {100U, 128U, 384U, 19280U, 35615U}) {
        std::string header = "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}";
        header.resize(length, ' ');
        std::string content(8, '\0');
        for (std::size_t i = 0; i < 8; ++i) content[i] = static_cast<char>(length >> (8 * i) & 255);
        hodo::io::write_text(folder / "a.safetensors", content + header + "x");
        const auto file = WeightFile::open(folder / "a.safetensors");
        EXPECT_EQ(file.format(), "safetensors") << length;
        EXPECT_EQ(file.get("a").integers(), std::vector<std::int64_t>{'x'});
    }
}

TEST(Weights, refuse_an_ending_that_names_no_format) {
    const TemporaryFolder folder;
    EXPECT_THAT(error_of([&] { hodo::io::write_weights(folder / "a.txt", example()); }),
                HasSubstr(".safetensors"));
}

TEST(Weights, carry_metadata_of_every_plain_kind) {
    const TemporaryFolder folder;
    auto metadata = Json::object();
    metadata["hyper_parameters"] = Json::parse(
        R"({"lr": 0.0001, "sizes": [1, 2], "name": "\u00e9", "on": true, "none": null,
            "large": -5000000000, "huge": 9223372036854775808, "empty": [], "map": {}})",
        "test");
    metadata["epoch"] = 24;
    hodo::io::write_weights(folder / "a.ckpt", example(), metadata);
    const auto file = WeightFile::open(folder / "a.ckpt");
    expect_example(file);
    EXPECT_EQ(file.metadata().at("epoch").integer(), 24);
    const auto& hyper = file.metadata().at("hyper_parameters");
    EXPECT_EQ(hyper.at("lr").number(), 0.0001);
    EXPECT_EQ(hyper.at("name").text(), "é");
    EXPECT_TRUE(hyper.at("on").boolean());
    EXPECT_TRUE(hyper.at("none").is_null());
    EXPECT_EQ(hyper.at("large").integer(), -5000000000);
    EXPECT_EQ(hyper.at("huge").text(), "9223372036854775808");
    EXPECT_EQ(hyper.at("sizes").items().size(), 2u);
}

TEST(Weights, keep_optimizer_states_and_averages_for_resuming) {
    const TemporaryFolder folder;
    Checkpoint checkpoint{example(), Json::object(), {}, {}};
    checkpoint.average = {{"layer.bias", floats({7, 8}, {2})}};
    hodo::io::OptimizerState optimizer;
    optimizer.slots.push_back(
        {0, 17, {{"exp_avg", floats({1, 2}, {2})}, {"exp_avg_sq", floats({3, 4}, {2})}}});
    optimizer.groups = Json::parse(R"([{"lr": 0.5, "params": [0]}])", "test");
    checkpoint.optimizers.push_back(optimizer);
    hodo::io::write_checkpoint(folder / "a.ckpt", checkpoint);

    const auto file = WeightFile::open(folder / "a.ckpt");
    ASSERT_EQ(file.optimizer_count(), 1u);
    const auto state = file.optimizer();
    ASSERT_EQ(state.slots.size(), 1u);
    EXPECT_EQ(state.slots[0].step, 17);
    EXPECT_EQ(state.slots[0].moment("exp_avg_sq").floats(), (std::vector<float>{3, 4}));
    EXPECT_EQ(state.groups.items()[0].at("lr").number(), 0.5);
    EXPECT_THAT(error_of([&] { state.slots[0].moment("exp_avgs"); }), HasSubstr("parameter 0"));
    EXPECT_THROW(file.optimizer(1), hodo::base::Error);

    const auto average = WeightFile::open(folder / "a.ckpt", WeightChoice::swa);
    EXPECT_EQ(average.entries().size(), 1u);
    EXPECT_EQ(average.get("layer.bias").floats(), (std::vector<float>{7, 8}));
}

TEST(Weights, say_which_choice_a_file_lacks) {
    const TemporaryFolder folder;
    hodo::io::write_weights(folder / "a.pt", example());
    hodo::io::write_weights(folder / "a.safetensors", example());
    EXPECT_THAT(error_of([&] { WeightFile::open(folder / "a.pt", WeightChoice::swa); }),
                HasSubstr("no swa weights"));
    EXPECT_THAT(error_of([&] { WeightFile::open(folder / "a.safetensors", WeightChoice::ema); }),
                HasSubstr("no ema weights"));
}

TEST(Weights, name_the_nearest_tensor_for_an_unknown_one) {
    const TemporaryFolder folder;
    hodo::io::write_weights(folder / "a.pt", example());
    const auto file = WeightFile::open(folder / "a.pt");
    EXPECT_THAT(error_of([&] { file.get("layer.wieght"); }), HasSubstr("'layer.weight'"));
    EXPECT_FALSE(file.has("layer.wieght"));
}

TEST(Weights, refuse_two_tensors_of_one_name) {
    const TemporaryFolder folder;
    NamedArrays twice{{"a", floats({1}, {1})}, {"a", floats({2}, {1})}};
    for (const auto* name : {"a.pt", "a.npz", "a.safetensors"}) {
        EXPECT_THAT(error_of([&] { hodo::io::write_weights(folder / name, twice); }),
                    HasSubstr("'a'"));
    }
}

TEST(Weights, share_the_mapped_file_where_it_is_aligned) {
    const TemporaryFolder folder;
    hodo::io::write_weights(folder / "a.pt", example());
    const auto file = WeightFile::open(folder / "a.pt");
    EXPECT_EQ(file.get("layer.weight").bytes.data(), file.get("layer.weight").bytes.data());
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(file.get("layer.weight").bytes.data()) % 64, 0u);
}

TEST(Weights, refuse_files_of_other_kinds_with_advice) {
    const auto open = [](const std::string& content) {
        return error_of([&] { WeightFile::parse(hodo::io::make_blob(content), "x.pt"); });
    };
    EXPECT_THAT(open(""), HasSubstr("is empty"));
    EXPECT_THAT(open("\x1f\x8b\x08 zipped"), HasSubstr("gunzip"));
    EXPECT_THAT(open("version https://git-lfs.github.com/spec/v1"), HasSubstr("git lfs pull"));
    EXPECT_THAT(open("just some text in a file"), HasSubstr("neither"));
    EXPECT_THAT(open("\x80\x02N."), HasSubstr("magic number"));
}

// ---- archives and pickles put together by hand ------------------------------------------------

/// A text of protocol 2 with at most 255 bytes.
std::string text(const std::string& value) {
    return std::string("X") + static_cast<char>(value.size()) + std::string(3, '\0') + value;
}

/// A tensor of two floats in storage `key` of `count` elements.
std::string tensor(const std::string& key, char count, char stride = 1) {
    return "ctorch._utils\n_rebuild_tensor_v2\n((" + text("storage") + "ctorch\nFloatStorage\n" +
           text(key) + text("cpu") + "K" + count + "tQ" + std::string("K\0K\x02\x85K", 6) + stride +
           "\x85\x89"
           "ccollections\nOrderedDict\n)RtR";
}

std::string bytes_of(const std::vector<float>& values) {
    return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

WeightFile open_archive(const TemporaryFolder& folder, const std::string& pickle,
                        const std::string& storage, const std::string& order = "little") {
    hodo::io::ZipWriter archive(folder / "hand.pt");
    archive.add("any name/data.pkl", "\x80\x02" + pickle + ".");
    archive.add("any name/byteorder", order);
    archive.add("any name/data/0", storage);
    archive.commit();
    return WeightFile::open(folder / "hand.pt");
}

TEST(Weights, find_the_mapping_under_its_usual_names) {
    const TemporaryFolder folder;
    const auto mapping = "}" + text("w") + tensor("0", 2) + "s";
    for (const auto* key : {"state_dict", "model_state_dict", "model"}) {
        const auto file = open_archive(folder, "}" + text(key) + mapping + "s", bytes_of({1, 2}));
        EXPECT_EQ(file.get("w").floats(), (std::vector<float>{1, 2})) << key;
    }
    EXPECT_TRUE(open_archive(folder, mapping, bytes_of({1, 2})).has("w"));
    EXPECT_TRUE(
        open_archive(folder, "}" + text("net") + mapping + "s", bytes_of({1, 2})).has("net.w"));
    EXPECT_EQ(open_archive(folder, tensor("0", 2), bytes_of({1, 2})).entries().size(), 1u);
}

TEST(Weights, swap_the_bytes_of_big_endian_files) {
    const TemporaryFolder folder;
    const auto mapping = "}" + text("w") + tensor("0", 2) + "s";
    const std::string big("\x3f\x80\0\0\x40\0\0\0", 8);
    EXPECT_EQ(open_archive(folder, mapping, big, "big").get("w").floats(),
              (std::vector<float>{1, 2}));
    EXPECT_THAT(error_of([&] { open_archive(folder, mapping, big, "middle"); }),
                HasSubstr("byte order"));
}

TEST(Weights, name_objects_among_weights_and_hyper_parameters) {
    const TemporaryFolder folder;
    const std::string object = "cmodels\nNetwork\n)R";
    const auto among = "}" + text("state_dict") + "}" + text("layer") + object + "ss";
    EXPECT_THAT(error_of([&] { open_archive(folder, among, ""); }),
                testing::AllOf(HasSubstr("state_dict.layer"), HasSubstr("models Network")));
    const auto mapping = text("state_dict") + "}" + text("w") + tensor("0", 2) + "ss";
    const auto hyper = "}" + mapping + text("hyper_parameters") + "}" + text("net") + object + "ss";
    EXPECT_THAT(error_of([&] {
                    open_archive(folder, hyper, bytes_of({1, 2}));
                }),
                testing::AllOf(HasSubstr("hyper_parameters.net"), HasSubstr("models Network")));
    const auto elsewhere = "}" + mapping + text("loops") + object + "s";
    const auto file = open_archive(folder, elsewhere, bytes_of({1, 2}));
    EXPECT_EQ(file.metadata().at("loops").at("opaque").text(), "models Network");
}

TEST(Weights, refuse_whole_models_and_files_without_weights) {
    const TemporaryFolder folder;
    EXPECT_THAT(error_of([&] { open_archive(folder, "cmodels\nNetwork\n)R", ""); }),
                HasSubstr("state_dict"));
    EXPECT_THAT(error_of([&] { open_archive(folder, "}" + text("a") + "K\x01s", ""); }),
                HasSubstr("'a'"));
}

TEST(Weights, refuse_storages_that_are_missing_or_of_another_size) {
    const TemporaryFolder folder;
    const auto mapping = [](const std::string& key, char count) {
        return "}" + text("w") + tensor(key, count) + "s";
    };
    EXPECT_THAT(error_of([&] {
                    open_archive(folder, mapping("7", 2), bytes_of({1, 2})).get("w");
                }),
                HasSubstr("storage '7' is missing"));
    EXPECT_THAT(error_of([&] {
                    open_archive(folder, mapping("0", 3), bytes_of({1, 2})).get("w");
                }),
                HasSubstr("holds 8 bytes"));
}

// ---- the legacy layout ------------------------------------------------------------------------

std::string int64_bytes(std::int64_t value) {
    return {reinterpret_cast<const char*>(&value), sizeof value};
}

/// A file as PyTorch wrote it before its files were archives.
std::string legacy_file(const std::string& object, const std::vector<float>& storage,
                        bool is_little = true) {
    std::string file("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 15);
    file += std::string("\x80\x02M\xe9\x03.", 6);
    file += "\x80\x02}" + text("little_endian") + (is_little ? '\x88' : '\x89') + "s.";
    file += "\x80\x02" + object + ".";
    file += "\x80\x02](" + text("0") + "e.";
    return file + int64_bytes(static_cast<std::int64_t>(storage.size())) + bytes_of(storage);
}

TEST(Weights, read_legacy_files) {
    const auto content = legacy_file("}" + text("w") + tensor("0", 3, 2) + "s", {1.5f, 2.5f, 3.5f});
    const auto file = WeightFile::parse(hodo::io::make_blob(content), "legacy.pth");
    EXPECT_EQ(file.format(), "pytorch-legacy");
    EXPECT_EQ(file.get("w").floats(), (std::vector<float>{1.5f, 3.5f}));
}

TEST(Weights, refuse_legacy_files_of_big_endian_machines) {
    const auto content = legacy_file("}" + text("w") + tensor("0", 2) + "s", {1, 2}, false);
    EXPECT_THAT(error_of([&] { WeightFile::parse(hodo::io::make_blob(content), "legacy.pth"); }),
                HasSubstr("big-endian"));
}

/// Opens a file in memory and reads everything in it.
void read_all(std::string_view content) {
    const auto file = WeightFile::parse(hodo::io::make_blob(content), "damaged");
    file.all();
    for (std::size_t i = 0; i < file.optimizer_count(); ++i) file.optimizer(i);
}

/// Small files of every format.
std::vector<std::string> small_files(const TemporaryFolder& folder) {
    auto metadata = Json::object();
    metadata["epoch"] = 3;
    std::vector<std::string> files;
    for (const auto* name : {"a.pt", "a.npz", "a.safetensors"}) {
        hodo::io::write_weights(folder / name, example(), metadata);
        files.push_back(hodo::io::read_text(folder / name));
    }
    files.push_back(legacy_file("}" + text("w") + tensor("0", 2) + "s", {1, 2}));
    return files;
}

TEST(Weights, answer_every_truncation_with_an_error) {
    const TemporaryFolder folder;
    for (const auto& content : small_files(folder)) {
        ASSERT_NO_THROW(read_all(content));
        for (std::size_t size = 0; size < content.size(); ++size) {
            EXPECT_THROW(read_all(std::string_view(content).substr(0, size)), hodo::base::Error)
                << size << " of " << content.size();
        }
    }
}

TEST(Weights, survive_random_damage) {
    const TemporaryFolder folder;
    hodo::base::Random random(11, "damage");
    for (const auto& content : small_files(folder)) {
        EXPECT_GT(hodo::test::refusals_of_damaged_copies(content, 3000, random, read_all), 300);
    }
}

}  // namespace
