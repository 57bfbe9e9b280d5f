#pragma once
/// Where golden data lies, and how a test says that it does not.

#include "hodo/base/text.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace hodo::test {

/// $HODO_REFERENCE, or ../shared/reference beside the source tree.
base::Path reference_folder();
/// The source tree.
base::Path source_folder();

/// Files of `folder` (below the reference folder) whose names match a shell pattern, sorted.
std::vector<base::Path> reference_files(const std::string& folder, const std::string& pattern);

/// The content of a gzip file, unpacked.
std::string gunzip(const base::Path& file);

/// A fresh folder that is removed with the object.
class TemporaryFolder {
  public:
    TemporaryFolder();
    ~TemporaryFolder();
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    const base::Path& path() const { return path_; }
    base::Path operator/(const std::string& name) const { return path_ / name; }

  private:
    base::Path path_;
};

/// The message of the `base::Error` that `action` throws; a failed check when it throws none.
template <class Action>
std::string error_of(Action&& action);

}  // namespace hodo::test

/// Skips the test, visibly, when no file matches: `HODO_REQUIRE_REFERENCE(files, "om2vec/*.pt");`
#define HODO_REQUIRE_REFERENCE(files, what)                                             \
    do {                                                                                \
        if ((files).empty()) {                                                          \
            GTEST_SKIP() << "no " << (what) << " in " << hodo::test::reference_folder() \
                         << "; set HODO_REFERENCE";                                     \
        }                                                                               \
    } while (false)

#include "hodo/base/error.hh"

template <class Action>
std::string hodo::test::error_of(Action&& action) {
    try {
        action();
    } catch (const base::Error& error) {
        return error.what();
    }
    ADD_FAILURE() << "expected an error";
    return {};
}
