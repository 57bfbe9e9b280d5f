#include "hodo/io/hdf5.hh"

#include <iostream>

#include "support/reference.hh"

namespace {

namespace base = hodo::base;
namespace io = hodo::io;
namespace test = hodo::test;

TEST(Hdf5Golden, every_reference_file_reads) {
    std::size_t files = 0, arrays = 0, texts = 0, records = 0, lists = 0;
    std::error_code none;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(test::reference_folder(), none)) {
        if (entry.path().extension() != ".h5") continue;
        ++files;
        const auto file = io::Hdf5File::open(entry.path());
        for (const auto& name : file.datasets()) {
            file.attributes(name);
            try {
                const auto array = file.read(name);
                EXPECT_EQ(array.shape, file.describe(name).shape);
                ++arrays;
            } catch (const base::Error& error) {
                const std::string message = error.what();
                if (message.find("several fields") != std::string::npos) {
                    ++records;
                } else if (message.find("varying length") != std::string::npos) {
                    const auto column = file.read_lists(name);
                    EXPECT_EQ(column.rows(), file.rows(name));
                    ++lists;
                } else {
                    file.read_text(name);
                    ++texts;
                }
            }
        }
    }
    if (files == 0) GTEST_SKIP() << "no *.h5 in " << test::reference_folder();
    std::cout << files << " files, " << arrays << " arrays, " << texts << " of text, " << records
              << " of records, " << lists << " of lists\n";
    EXPECT_GT(arrays, files);
}

}  // namespace
