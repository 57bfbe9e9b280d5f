#include "hodo/io/pickle.hh"

#include <gmock/gmock.h>

#include "hodo/base/error.hh"
#include "hodo/base/random.hh"
#include "support/reference.hh"

namespace {

using hodo::io::DType;
using hodo::io::Pickle;
using hodo::io::PickleKind;
using hodo::test::error_of;
using testing::HasSubstr;

/// A literal with embedded zero bytes as text.
template <std::size_t Size>
std::string raw(const char (&bytes)[Size]) {
    return std::string(bytes, Size - 1);
}

Pickle parse(const std::string& bytes) {
    return Pickle::parse(hodo::io::make_blob(bytes), "test.pkl");
}

/// A text of protocol 2.
std::string text(const std::string& value) {
    const auto size = static_cast<char>(value.size());
    return std::string("X") + size + raw("\0\0\0") + value;
}

/// A tensor of `count` floats in storage "0" with an offset, one size and one stride.
std::string tensor(int count, int offset, int size, int stride) {
    const auto number = [](int value) { return std::string("K") + static_cast<char>(value); };
    return "ctorch._utils\n_rebuild_tensor_v2\n((" + text("storage") + "ctorch\nFloatStorage\n" +
           text("0") + text("cpu") + number(count) + "tQ" + number(offset) + number(size) + "\x85" +
           number(stride) +
           "\x85\x89"
           "ccollections\nOrderedDict\n)RtR";
}

TEST(Pickle, reads_plain_values) {
    const auto pickle =
        parse(raw("\x80\x02(NJ\xfe\xff\xff\xff\x88\x89K\x07M\x02\x01"
                  "G\x3f\xf8\0\0\0\0\0\0]}\x8f)t."));
    const auto root = pickle.root();
    ASSERT_EQ(root.size(), 11u);
    EXPECT_TRUE(root.item(0).is(PickleKind::none));
    EXPECT_EQ(root.item(1).integer(), -2);
    EXPECT_TRUE(root.item(2).boolean());
    EXPECT_FALSE(root.item(3).boolean());
    EXPECT_EQ(root.item(4).integer(), 7);
    EXPECT_EQ(root.item(5).integer(), 258);
    EXPECT_EQ(root.item(6).real(), 1.5);
    EXPECT_TRUE(root.item(7).is(PickleKind::list));
    EXPECT_TRUE(root.item(8).is(PickleKind::dict));
    EXPECT_TRUE(root.item(9).is(PickleKind::set));
    EXPECT_TRUE(root.item(10).is(PickleKind::tuple));
}

TEST(Pickle, reads_integers_of_any_length) {
    EXPECT_EQ(parse(raw("\x80\x02\x8a\x00.")).root().integer(), 0);
    EXPECT_EQ(parse(raw("\x80\x02\x8a\x01\xff.")).root().integer(), -1);
    EXPECT_EQ(parse(raw("\x80\x02\x8a\x06\0\0\0\0\0\x01.")).root().integer(), 1099511627776);
    const auto large = parse(raw("\x80\x02\x8a\x09\0\0\0\0\0\0\0\0\x40."));
    EXPECT_EQ(large.root().text(), "1180591620717411303424");  // 2^70
    EXPECT_THAT(error_of([&] { large.root().integer(); }), HasSubstr("1180591620717411303424"));
    const auto negative = parse(raw("\x80\x02\x8b\x09\0\0\0\0\0\0\0\0\0\0\0\xfe."));
    EXPECT_EQ(negative.root().text(), "-36893488147419103232");  // -2^65
}

TEST(Pickle, shares_memoized_values) {
    const auto pickle = parse(raw("\x80\x04]\x94(h\x00K\x01h\x00") + "e.");
    const auto root = pickle.root();
    ASSERT_EQ(root.size(), 3u);
    EXPECT_EQ(root.item(0).size(), 3u) << "a list that contains itself";
    EXPECT_EQ(root.item(2).item(1).integer(), 1);
}

TEST(Pickle, never_calls_what_it_does_not_know) {
    const auto pickle = parse(
        "\x80\x02"
        "cos\nsystem\n" +
        text("rm -rf /") + "\x85R.");
    const auto root = pickle.root();
    EXPECT_TRUE(root.is(PickleKind::object));
    EXPECT_EQ(root.text(), "os system");
    EXPECT_EQ(root.arguments().item(0).text(), "rm -rf /");
}

TEST(Pickle, knows_ordered_and_counting_dictionaries_and_sets) {
    const auto ordered = parse(
        "\x80\x02"
        "ccollections\nOrderedDict\n)R" +
        text("b") + "K\x01s" + text("a") + "K\x02s.");
    EXPECT_EQ(ordered.root().key(0).text(), "b");
    EXPECT_EQ(ordered.root().find("a")->integer(), 2);
    EXPECT_FALSE(ordered.root().find("c"));
    const auto counter =
        parse(raw("\x80\x02"
                  "ccollections\nCounter\n}K\x05K\x01s\x85R."));
    EXPECT_EQ(counter.root().key(0).integer(), 5);
    const auto set =
        parse(raw("\x80\x02"
                  "c__builtin__\nset\n](K\x03K\x04"
                  "e\x85R."));
    EXPECT_EQ(set.root().kind(), PickleKind::set);
    EXPECT_EQ(set.root().size(), 2u);
}

TEST(Pickle, reads_numpy_scalars_in_both_byte_orders) {
    const auto scalar = [](const std::string& code, const std::string& order,
                           const std::string& bytes) {
        return "\x80\x02"
               "cnumpy.core.multiarray\nscalar\ncnumpy\ndtype\n(" +
               text(code) + raw("K\0K\x01tR(K\x03") + text(order) + "NtbC" +
               static_cast<char>(bytes.size()) + bytes + "\x86R.";
    };
    EXPECT_EQ(parse(scalar("f8", "<", raw("\0\0\0\0\0\xca\xd3\x40"))).root().real(), 20264.0);
    EXPECT_EQ(parse(scalar("f8", ">", raw("\x40\xd3\xca\0\0\0\0\0"))).root().real(), 20264.0);
    EXPECT_EQ(parse(scalar("i4", "<", raw("\xfe\xff\xff\xff"))).root().integer(), -2);
    EXPECT_EQ(parse(scalar("u2", "<", raw("\xfe\xff"))).root().integer(), 65534);
    EXPECT_TRUE(parse(scalar("b1", "|", raw("\x01"))).root().boolean());
    EXPECT_TRUE(parse(scalar("O8", "|", raw("\0\0\0\0\0\0\0\0"))).root().is(PickleKind::object));
}

TEST(Pickle, gives_tensors_as_checked_views_of_storages) {
    const auto pickle = parse("\x80\x02" + tensor(10, 2, 4, 2) + ".");
    const auto& view = pickle.root().tensor();
    EXPECT_EQ(view.storage.key, "0");
    EXPECT_EQ(view.storage.dtype, DType::f32);
    EXPECT_EQ(view.storage.count, 10u);
    EXPECT_EQ(view.offset, 2u);
    EXPECT_THAT(view.shape, testing::ElementsAre(4));
    EXPECT_THAT(view.strides, testing::ElementsAre(2));
}

TEST(Pickle, refuses_views_that_leave_their_storage) {
    ASSERT_NO_THROW(parse("\x80\x02" + tensor(9, 2, 4, 2) + "."));
    for (const auto& bad : {tensor(8, 2, 4, 2), tensor(9, 3, 4, 2), tensor(9, 2, 5, 2)}) {
        EXPECT_THAT(error_of([&] { parse("\x80\x02" + bad + "."); }), HasSubstr("reaches beyond"));
    }
    EXPECT_NO_THROW(parse("\x80\x02" + tensor(0, 9, 0, 1) + ".")) << "an empty view has no element";
}

TEST(Pickle, refuses_deep_nesting) {
    std::string nested = "\x80\x02";
    for (int i = 0; i < 900; ++i) nested += ']';
    EXPECT_NO_THROW(parse(nested + std::string(899, 'a') + '.'));
    nested += std::string(900, ']');
    EXPECT_THAT(error_of([&] { parse(nested + std::string(1799, 'a') + '.'); }),
                HasSubstr("nested deeper than 1000"));
    EXPECT_THAT(error_of([&] { parse("\x80\x02)" + std::string(5000, '\x85') + '.'); }),
                HasSubstr("nested deeper"));
}

TEST(Pickle, refuses_wrong_stack_memo_and_opcodes) {
    const std::pair<std::string, std::string> cases[] = {
        {raw("\x80\x02."), "missing from the stack"},
        {raw("\x80\x02K\x01t."), "mark is missing"},
        {raw("\x80\x02h\x07."), "memo index 7"},
        {raw("\x80\x02Nr\xff\xff\xff\xff."), "memo index"},
        {raw("\x80\x02K\x01K\x02"
             "a."),
         "members for"},
        {raw("\x80\x02}K\x01K\x02K\x03u."), "mark is missing"},
        {raw("\x80\x02}(K\x01u."), "key without a value"},
        {raw("\x80\x06N."), "protocol 6"},
        {raw("\x80\x02i"), "opcode 105"},
        {raw("\x80\x02X\xff\xff\xff\x7f"
             "a"),
         "ends too early"},
        {raw("\x80\x04K\x01K\x02\x93."), "no text"},
        {raw("\x80\x02K\x01Q."), "reference"},
    };
    for (const auto& [bytes, message] : cases) {
        EXPECT_THAT(error_of([&] { parse(bytes); }), HasSubstr(message));
    }
}

TEST(Pickle, refuses_to_copy_large_values_again_and_again) {
    std::string bytes = "\x80\x04](";
    for (int i = 0; i < 20'000; ++i) bytes += 'N';
    bytes +=
        "e\x94"
        "cbuiltins\nset\n\x94";
    for (int i = 0; i < 20'000; ++i) bytes += raw("h\x01h\x00\x85R0");
    EXPECT_THAT(error_of([&] { parse(bytes + "N."); }), HasSubstr("copies values too often"));
}

TEST(Pickle, answers_every_truncation_with_an_error) {
    const auto whole = "\x80\x02}(" + text("weight") + tensor(10, 0, 5, 2) + text("n") +
                       raw("\x8a\x09\0\0\0\0\0\0\0\0\x40") + "u.";
    ASSERT_NO_THROW(parse(whole));
    for (std::size_t size = 0; size < whole.size(); ++size) {
        EXPECT_THROW(parse(whole.substr(0, size)), hodo::base::Error) << size;
    }
}

TEST(Pickle, survives_random_damage) {
    const auto whole = "\x80\x02}(" + text("weight") + tensor(10, 0, 5, 2) + text("n") +
                       raw("G\x3f\xf8\0\0\0\0\0\0") + "u.";
    hodo::base::Random random(3, "pickle damage");
    int refused = 0;
    for (int trial = 0; trial < 20'000; ++trial) {
        auto damaged = whole;
        for (std::uint64_t flips = 1 + random.below(3); flips > 0; --flips) {
            damaged[random.below(damaged.size())] = static_cast<char>(random.below(256));
        }
        try {
            parse(damaged).root().description();
        } catch (const hodo::base::Error&) {
            ++refused;
        }
    }
    EXPECT_GT(refused, 2000);
}

}  // namespace
