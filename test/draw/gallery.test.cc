#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>

#include "draw/gallery.hh"
#include "hodo/io/atomic_file.hh"
#include "support/reference.hh"

namespace hodo::draw {
namespace {

/// Where the gallery goes: $HODO_GALLERY to keep and look at it, else a folder that is removed.
class Gallery : public testing::Test {
  protected:
    base::Path folder() const {
        const char* kept = std::getenv("HODO_GALLERY");
        return kept != nullptr ? base::Path(kept) : temporary_.path();
    }

  private:
    test::TemporaryFolder temporary_;
};

TEST_F(Gallery, every_kind_of_figure_is_written_in_every_format) {
    for (const auto& [name, figure] : test::gallery_figures()) {
        SCOPED_TRACE(name);
        for (const char* ending : {".png", ".pdf", ".svg"}) {
            const auto path = folder() / (name + ending);
            figure.save(path);
            EXPECT_GT(std::filesystem::file_size(path), 1000u);
        }
    }
}

TEST_F(Gallery, report_with_every_kind_of_content_is_written) {
    const auto path = folder() / "report.html";
    test::gallery_report().save(path);
    EXPECT_GT(std::filesystem::file_size(path), 10'000u);
    EXPECT_TRUE(std::filesystem::exists(folder() / "report.json"));
}

TEST_F(Gallery, event_display_is_written) {
    const auto path = folder() / "events.html";
    save_event_display(path, test::gallery_display());
    EXPECT_GT(std::filesystem::file_size(path), 100'000u);
}

}  // namespace
}  // namespace hodo::draw
