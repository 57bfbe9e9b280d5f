// Lists and texts of varying length: looked up by us in files that may be damaged anywhere.

#include "hodo/base/random.hh"
#include "hodo/io/atomic_file.hh"
#include "hodo/io/hdf5.hh"
#include "support/damage.hh"
#include "support/ragged_hdf5.hh"
#include "support/reference.hh"

#include <cstring>
#include <fstream>
#include <functional>

namespace {

namespace base = hodo::base;
namespace io = hodo::io;
namespace test = hodo::test;

/// Lists of 3, none and 700 numbers: the last fills a collection of its own.
std::string ragged_file() {
    std::vector<double> many(700);
    for (std::size_t i = 0; i < many.size(); ++i) many[i] = static_cast<double>(i) / 4;
    return test::ragged_hdf5({{"lists", {{1, 2, 3}, {}, many}}, {"none", {}}});
}

/// Arrays that grow and that do not, texts, attributes.
std::string mixed_file() {
    const test::TemporaryFolder folder;
    io::Hdf5Writer writer(folder / "a.h5");
    const auto numbers = io::make_array(std::vector<double>{1, 2, 3});
    writer.write("deep/group/numbers", numbers);
    writer.append("grows", numbers);
    writer.append("grows", numbers);
    writer.write_text("names", {"electron", "muon"});
    writer.attribute("/", "version", "1.0");
    writer.attribute("grows", "scale", io::Json::parse("[0.5, 2]", "test"));
    writer.finish();
    return io::read_text(folder / "a.h5");
}

/// Reads all that a file says it has, and refuses it when a part of it is refused.
class Reader {
  public:
    void operator()(std::string_view content) const {
        std::filesystem::remove(folder_ / "a.h5");  // Emptying a file waits for the disk.
        std::ofstream(folder_ / "a.h5", std::ios::binary) << content;
        const auto file = io::Hdf5File::open(folder_ / "a.h5");
        file.attributes("/");
        for (const auto& name : file.datasets()) {
            file.attributes(name);
            if (name == "lists" || name == "none") {
                const auto column = file.read_lists(name);
                ASSERT_EQ(column.offsets[0].back(), std::ssize(column.to_doubles()));
            } else if (name == "names") {
                file.read_text(name);
            } else {
                const auto array = file.read(name);
                ASSERT_EQ(array.bytes.size(), std::size_t(array.size()) * item_size(array.dtype));
            }
        }
    }

  private:
    test::TemporaryFolder folder_;
};

/// The places of 8 bytes in a file.
std::vector<std::size_t> places_of(std::string_view content, std::string_view bytes) {
    std::vector<std::size_t> places;
    for (auto at = content.find(bytes); at != bytes.npos; at = content.find(bytes, at + 1)) {
        places.push_back(at);
    }
    return places;
}

class Hdf5Lists : public testing::Test {
  protected:
    /// The error of reading `lists` when the bytes at `place` are those of `value`.
    template <class Number>
    std::string refusal(std::size_t place, Number value) {
        auto content = ragged_file();
        std::memcpy(content.data() + place, &value, sizeof value);
        io::write_text(folder / "a.h5", content);
        return test::error_of([&] { io::Hdf5File::open(folder / "a.h5").read_lists("lists"); });
    }
    test::TemporaryFolder folder;
};

}  // namespace

/// For the address sanitizer: the library asks for the memory of a damaged size before it reads its
/// bytes, which fail.
extern "C" const char* __asan_default_options() {
    return "allocator_may_return_null=1";
}

TEST_F(Hdf5Lists, come_back_all_and_in_part) {
    io::write_text(folder / "a.h5", ragged_file());
    const auto file = io::Hdf5File::open(folder / "a.h5");
    const auto all = file.read_lists("lists");
    EXPECT_EQ(all.offsets[0], (std::vector<std::int64_t>{0, 3, 3, 703}));
    EXPECT_EQ(all.to_doubles()[2], 3);
    EXPECT_EQ(all.to_doubles().back(), 699.0 / 4);
    const auto last = file.read_lists("lists", 2, 1);
    EXPECT_EQ(last.offsets[0], (std::vector<std::int64_t>{0, 700}));
    EXPECT_EQ(last.to_doubles()[1], 0.25);
    EXPECT_EQ(file.read_lists("none").offsets[0].size(), 1u);
}

TEST_F(Hdf5Lists, are_written_after_others_were_read) {
    const auto before = ragged_file();
    Reader{}(before);
    Reader{}(ragged_file());
    EXPECT_EQ(places_of(ragged_file(), "GCOL"), places_of(before, "GCOL"));
}

TEST_F(Hdf5Lists, of_files_behind_other_content_come_back) {
    // A user block moves all addresses.
    const hid_t creation = H5Pcreate(H5P_FILE_CREATE);
    H5Pset_userblock(creation, 512);
    const hid_t file = H5Fcreate((folder / "a.h5").c_str(), H5F_ACC_TRUNC, creation, H5P_DEFAULT);
    const hid_t type = H5Tvlen_create(H5T_STD_I16BE);
    const hid_t native = H5Tvlen_create(H5T_NATIVE_INT);
    const hsize_t one = 1;
    const hid_t space = H5Screate_simple(1, &one, nullptr);
    const hid_t set = H5Dcreate2(file, "x", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    int values[] = {-5, 300};
    const hvl_t list{2, values};
    H5Dwrite(set, native, H5S_ALL, H5S_ALL, H5P_DEFAULT, &list);
    for (const hid_t id : {native, type}) H5Tclose(id);
    H5Dclose(set);
    H5Sclose(space);
    H5Fclose(file);
    H5Pclose(creation);
    EXPECT_EQ(io::Hdf5File::open(folder / "a.h5").read_lists("x").to_doubles(),
              (std::vector<double>{-5, 300}));
}

TEST_F(Hdf5Lists, that_are_shorter_than_they_say_are_refused) {
    const auto content = ragged_file();
    const auto collections = places_of(content, "GCOL");
    ASSERT_EQ(collections.size(), 1u);
    // The reference of the long list: its length and the address of its collection.
    std::string reference("\xBC\2\0\0", 4);
    const std::uint64_t address = collections[0];
    reference.append(reinterpret_cast<const char*>(&address), sizeof address);
    const auto places = places_of(content, reference);
    ASSERT_EQ(places.size(), 1u);
    EXPECT_THAT(refusal(places[0], std::uint32_t{701}), testing::HasSubstr("fewer are stored"));
    EXPECT_THAT(refusal(places[0], ~std::uint32_t{0}), testing::HasSubstr("fewer are stored"));
    EXPECT_THAT(refusal(places[0] + 4, std::uint64_t{1} << 60), testing::HasSubstr("beyond"));
    EXPECT_THAT(refusal(places[0] + 4, std::uint64_t{8}), testing::HasSubstr("no collection"));
    EXPECT_THAT(refusal(places[0] + 12, std::uint32_t{9}), testing::HasSubstr("does not hold it"));
    // Its collection: extent and size of its first object.
    EXPECT_THAT(refusal(address + 8, std::uint64_t{1} << 40), testing::HasSubstr("cut off"));
    EXPECT_THAT(refusal(address + 24, std::uint64_t{1} << 40), testing::HasSubstr("too long"));
    EXPECT_THAT(refusal(address + 24, ~std::uint64_t{0}), testing::HasSubstr("too long"));
}

TEST_F(Hdf5Lists, with_a_shape_that_the_file_cannot_hold_take_no_memory) {
    const auto content = ragged_file();
    // One of these numbers is the extent of the data space, three lists.
    int refused = 0;
    for (const auto place : places_of(content, std::string_view("\3\0\0\0\0\0\0\0", 8))) {
        auto damaged = content;
        damaged[place + 5] = 1;
        io::write_text(folder / "a.h5", damaged);
        try {
            io::Hdf5File::open(folder / "a.h5").read_lists("lists");
        } catch (const base::Error& error) {
            refused += std::string_view(error.what()).find("more than the file can hold") !=
                               std::string_view::npos
                           ? 1
                           : 0;
        }
    }
    EXPECT_GT(refused, 0);
}

TEST_F(Hdf5Lists, in_chunks_that_would_fill_the_memory_are_refused) {
    const auto path = folder / "a.h5";
    const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    const hid_t type = H5Tvlen_create(H5T_NATIVE_FLOAT);
    const hsize_t rows = 100'000'000;  // 16 bytes each
    const hid_t space = H5Screate_simple(1, &rows, nullptr);
    const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(creation, 1, &rows);
    H5Pset_deflate(creation, 1);
    H5Dclose(H5Dcreate2(file, "x", type, space, H5P_DEFAULT, creation, H5P_DEFAULT));
    H5Pclose(creation);
    H5Sclose(space);
    H5Tclose(type);
    H5Fclose(file);
    EXPECT_THAT(test::error_of([&] { io::Hdf5File::open(path).read_lists("x", 0, 1); }),
                testing::HasSubstr("in chunks of more than 1.1 GB"));
}

TEST(Hdf5Damage, every_damaged_copy_is_refused_or_read) {
    const Reader read;
    base::Random random(7, "hdf5");
    for (const auto& content : {ragged_file(), mixed_file()}) {
        read(content);
        const auto refused =
            test::refusals_of_damaged_copies(content, 600, random, std::cref(read));
        EXPECT_GT(refused, 0);
        // Sizes and addresses take 8 bytes.
        int extreme = 0;
        for (std::size_t at = 0; at + 8 <= content.size(); at += 8) {
            if (content.substr(at, 8) == std::string(8, '\0')) continue;
            for (const char byte : {'\0', '\x7F', '\xFF'}) {
                auto damaged = content;
                damaged.replace(at, 8, std::string(8, byte));
                try {
                    read(damaged);
                } catch (const base::Error&) {
                    ++extreme;
                }
            }
        }
        EXPECT_GT(extreme, 0);
    }
}

TEST(Hdf5Damage, attributes_that_are_longer_than_their_message_are_refused) {
    const Reader read;
    const auto content = mixed_file();
    const auto places = places_of(content, std::string_view("version\0", 8));
    ASSERT_EQ(places.size(), 1u);
    for (const std::size_t size : {6U, 4U, 2U}) {  // of name, type and space before the name
        auto damaged = content;
        damaged.replace(places[0] - size, 2, "\xF0\xFF");
        test::error_of([&] { read(damaged); });
    }
}

TEST(Hdf5Damage, every_truncated_copy_is_refused) {
    const Reader read;
    for (const auto& content : {ragged_file(), mixed_file()}) {
        for (std::size_t length = 0; length < content.size(); length += 61) {
            test::error_of([&] { read(std::string_view(content).substr(0, length)); });
        }
    }
}
