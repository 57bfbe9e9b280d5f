// A training checkpoint in the layout that PyTorch wrote before its files were archives. The file
// is one of PyTorch itself: torch.save({'model': ..., 'optimizer': ...}, file,
// _use_new_zipfile_serialization=False) with the members and the integer Adam steps of the
// checkpoints of mlreco_cell.

#include "hodo/io/weights.hh"

#include <gmock/gmock.h>

#include "hodo/base/error.hh"
#include "hodo/io/atomic_file.hh"
#include "support/damage.hh"
#include "support/reference.hh"

namespace {

using hodo::io::DType;
using hodo::io::WeightFile;
using hodo::test::error_of;
using testing::ElementsAre;
using testing::HasSubstr;

const std::string& content() {
    static const auto bytes =
        hodo::io::read_text(hodo::test::source_folder() / "test/data/checkpoint_legacy.pth.tar");
    return bytes;
}

/// Opens a file in memory and reads everything in it.
WeightFile read_all(std::string_view bytes) {
    auto file = WeightFile::parse(hodo::io::make_blob(bytes), "checkpoint_007.pth.tar");
    file.all();
    for (std::size_t i = 0; i < file.optimizer_count(); ++i) file.optimizer(i);
    return file;
}

std::string replaced(std::string text, std::string_view what, std::string_view by) {
    const auto place = text.find(what);
    if (place == std::string::npos) throw hodo::base::Defect("nothing to replace");
    return text.replace(place, what.size(), by);
}

TEST(LegacyCheckpoint, gives_the_numbers_of_the_model) {
    const auto file = read_all(content());
    EXPECT_EQ(file.format(), "pytorch-legacy");
    EXPECT_EQ(file.entries().size(), 7u);
    EXPECT_THAT(file.get("conv.weight").shape, ElementsAre(2, 3));
    EXPECT_THAT(file.get("conv.weight").floats(),
                ElementsAre(0, 0.125f, 0.25f, 0.375f, 0.5f, 0.625f));
    EXPECT_THAT(file.get("conv.bias").floats(), ElementsAre(-1.5f, 2));
    EXPECT_EQ(file.get("norm.running_var").dtype, DType::f64);
    EXPECT_THAT(file.get("norm.running_var").doubles(), ElementsAre(0.5, 0.25));
    EXPECT_THAT(file.get("norm.num_batches_tracked").shape, ElementsAre());
    EXPECT_THAT(file.get("norm.num_batches_tracked").integers(), ElementsAre(3));
    EXPECT_THAT(file.get("view").floats(), ElementsAre(1, 3)) << "every second of a storage";
    EXPECT_THAT(file.get("transposed").shape, ElementsAre(3, 2));
    EXPECT_THAT(file.get("transposed").integers(), ElementsAre(0, 3, 1, 4, 2, 5));
    EXPECT_THAT(file.get("half").doubles(), ElementsAre(1.5, -2));
}

TEST(LegacyCheckpoint, gives_the_state_of_the_optimizer) {
    const auto file = read_all(content());
    ASSERT_EQ(file.optimizer_count(), 1u);
    const auto adam = file.optimizer();
    ASSERT_EQ(adam.slots.size(), 2u);
    EXPECT_EQ(adam.slots[0].step, 3) << "an integer, not a tensor";
    EXPECT_THAT(adam.slots[0].moment("exp_avg").shape, ElementsAre(2, 3));
    EXPECT_THAT(adam.slots[1].moment("exp_avg").floats(), ElementsAre(1, 2));
    EXPECT_THAT(adam.slots[1].moment("exp_avg_sq").floats(), ElementsAre(4, 8));
    EXPECT_EQ(adam.groups.items().at(0).at("lr").number(), 0.001);
}

TEST(LegacyCheckpoint, of_a_graphics_card_is_read_as_one_of_the_cpu) {
    auto bytes = content();
    const std::string cpu("X\x03\0\0\0cpu", 8), cuda("X\x06\0\0\0cuda:0", 11);
    ASSERT_NE(bytes.find(cpu), std::string::npos);
    const auto file = read_all(replaced(bytes, cpu, cuda));
    EXPECT_THAT(file.get("conv.bias").floats(), ElementsAre(-1.5f, 2));
}

TEST(LegacyCheckpoint, that_calls_a_function_is_refused_by_its_name) {
    // The function that rebuilds the first tensor becomes one that runs a command.
    const auto bytes = replaced(content(), "ctorch._utils\n_rebuild_tensor_v2\n", "cos\nsystem\n");
    const auto message = error_of([&] { read_all(bytes); });
    EXPECT_THAT(message, HasSubstr("os system"));
    EXPECT_THAT(message, HasSubstr("nothing in a weight file is executed"));
}

TEST(LegacyCheckpoint, with_another_magic_number_or_version_is_refused) {
    EXPECT_THAT(
        error_of([] { read_all(replaced(content(), "\x6c\xfc\x9c\x46", "\x6c\xfc\x9c\x47")); }),
        HasSubstr("magic number"));
    EXPECT_THAT(error_of([] { read_all(replaced(content(), "M\xe9\x03.", "M\xea\x03.")); }),
                HasSubstr("version"));
}

TEST(LegacyCheckpoint, whose_storage_has_another_length_is_refused) {
    // The count of the last storage stands before its two floats of the second moment.
    auto bytes = content();
    const auto place = bytes.size() - 2 * sizeof(float) - 8;
    for (const char count : {'\x01', '\x03', '\x7f'}) {
        bytes[place] = count;
        EXPECT_THAT(error_of([&] { read_all(bytes); }), HasSubstr("elements"));
    }
    bytes[place] = '\x02';
    EXPECT_NO_THROW(read_all(bytes));
    bytes[place + 7] = '\x80';
    EXPECT_THAT(error_of([&] { read_all(bytes); }), HasSubstr("elements"));
}

TEST(LegacyCheckpoint, cut_anywhere_is_refused) {
    for (std::size_t size = 0; size < content().size(); ++size) {
        EXPECT_THROW(read_all(std::string_view(content()).substr(0, size)), hodo::base::Error)
            << size;
    }
}

TEST(LegacyCheckpoint, survives_random_damage) {
    hodo::base::Random random(12, "damage");
    EXPECT_GT(hodo::test::refusals_of_damaged_copies(content(), 5000, random, read_all), 500);
}

}  // namespace
