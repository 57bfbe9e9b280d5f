#include "hodo/io/npz.hh"

#include "support/reference.hh"

#include <iostream>

namespace {

namespace base = hodo::base;
namespace io = hodo::io;
namespace test = hodo::test;

/// Every file of the reference, however deep, whose name ends in `ending`.
std::vector<base::Path> all_files(const std::string& ending) {
    std::vector<base::Path> files;
    std::error_code none;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(test::reference_folder(), none)) {
        if (entry.path().string().ends_with(ending)) files.push_back(entry.path());
    }
    return files;
}

TEST(NpzGolden, every_array_of_every_reference_file_reads) {
    const auto files = all_files(".npz");
    HODO_REQUIRE_REFERENCE(files, "*.npz");
    std::size_t arrays = 0, texts = 0, refused = 0;
    for (const auto& file : files) {
        for (const auto& name : io::npz_names(file)) {
            try {
                const auto array = io::read_npz(file, name);
                const auto expected =
                    static_cast<std::size_t>(array.size()) * io::item_size(array.dtype);
                EXPECT_EQ(array.bytes.size(), expected) << file << " " << name;
                ++arrays;
            } catch (const base::Error& error) {
                if (std::string(error.what()).find("Python objects") != std::string::npos) {
                    ++refused;
                    continue;
                }
                EXPECT_FALSE(io::read_npz_text(file, name).empty()) << error.what();
                ++texts;
            }
        }
    }
    std::cout << files.size() << " files, " << arrays << " arrays of numbers, " << texts
              << " of text, " << refused << " of objects refused\n";
    EXPECT_GT(arrays, files.size());
}

TEST(NpzGolden, every_reference_array_file_reads) {
    const auto files = all_files(".npy");
    HODO_REQUIRE_REFERENCE(files, "*.npy");
    for (const auto& file : files) EXPECT_GT(io::read_npy(file).size(), 0) << file;
    std::cout << files.size() << " files\n";
}

}  // namespace
