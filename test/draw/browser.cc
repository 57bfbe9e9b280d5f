#include "draw/browser.hh"

#include <algorithm>
#include <cstdlib>

#include <zlib.h>

#include "hodo/base/error.hh"
#include "hodo/io/atomic_file.hh"
#include "support/reference.hh"

namespace hodo::test {
namespace {

/// Runs the browser on a page with these options; what it prints goes to a file.
void run_browser(const base::Path& page, const std::string& options, const base::Path& output) {
    const TemporaryFolder profile;
    const std::string command = base::format(
        "{} --headless=new --no-sandbox --use-angle=swiftshader --enable-unsafe-swiftshader "
        "--disable-quic --no-first-run --disable-background-networking --disable-component-update "
        "--disable-sync --user-data-dir='{}' --virtual-time-budget=4000 {} 'file://{}' >'{}' "
        "2>'{}'",
        *browser(), profile.path(), options, std::filesystem::absolute(page), output,
        profile / "messages");
    const int status = std::system(command.c_str());
    HODO_CHECK(status == 0, "the browser failed with status {}: {}", status,
               io::read_text(profile / "messages"));
}

std::uint32_t big_endian(const std::string& bytes, std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) {
        value = value << 8 | static_cast<unsigned char>(bytes.at(at + i));
    }
    return value;
}

/// The predictor of PNG filter 4 (PNG specification, section 9.4).
int paeth(int left, int above, int corner) {
    const int guess = left + above - corner;
    const int a = std::abs(guess - left), b = std::abs(guess - above), c = std::abs(guess - corner);
    if (a <= b && a <= c) return left;
    return b <= c ? above : corner;
}

std::string inflate_all(const std::string& packed, std::size_t size) {
    std::string result(size, '\0');
    auto length = static_cast<uLongf>(size);
    const int status = uncompress(reinterpret_cast<Bytef*>(result.data()), &length,
                                  reinterpret_cast<const Bytef*>(packed.data()), packed.size());
    HODO_CHECK(status == Z_OK && length == size, "picture does not unpack (zlib says {})", status);
    return result;
}

}  // namespace

std::optional<std::string> browser() {
    for (const char* name : {"chromium", "chromium-browser", "google-chrome"}) {
        for (const auto& folder : base::split(std::getenv("PATH"), ':')) {
            const auto path = base::Path(folder) / name;
            if (std::filesystem::exists(path)) return path.string();
        }
    }
    return std::nullopt;
}

Picture decode_png(const std::string& bytes) {
    HODO_CHECK(bytes.size() > 33 && bytes.substr(1, 3) == "PNG" && bytes[24] == 8,
               "{} bytes are no PNG picture of 8 bits", bytes.size());
    Picture picture{
        static_cast<int>(big_endian(bytes, 16)), static_cast<int>(big_endian(bytes, 20)), {}};
    const std::size_t channels = bytes[25] == 6 ? 4 : 3;
    std::string packed;
    for (std::size_t at = 8; at + 12 <= bytes.size();) {
        const std::size_t length = big_endian(bytes, at);
        if (bytes.substr(at + 4, 4) == "IDAT") packed += bytes.substr(at + 8, length);
        at += 12 + length;
    }
    const std::size_t stride = channels * static_cast<std::size_t>(picture.width);
    const auto rows = static_cast<std::size_t>(picture.height);
    const std::string raw = inflate_all(packed, rows * (stride + 1));
    std::vector<int> above(stride, 0), line(stride, 0);
    for (std::size_t row = 0; row < rows; ++row) {
        const int filter = raw[row * (stride + 1)];
        for (std::size_t i = 0; i < stride; ++i) {
            const int left = i >= channels ? line[i - channels] : 0;
            const int corner = i >= channels ? above[i - channels] : 0;
            const int guesses[] = {0, left, above[i], (left + above[i]) / 2,
                                   paeth(left, above[i], corner)};
            const auto byte = static_cast<unsigned char>(raw[row * (stride + 1) + 1 + i]);
            line[i] = (byte + guesses[filter]) & 0xFF;
            if (i % channels < 3) picture.rgb.push_back(static_cast<std::uint8_t>(line[i]));
        }
        std::swap(line, above);
    }
    return picture;
}

Picture screenshot(const base::Path& page, int width, int height) {
    const TemporaryFolder folder;
    const auto picture = folder / "screen.png";
    run_browser(page, base::format("--window-size={},{} --screenshot='{}'", width, height, picture),
                folder / "output");
    return decode_png(io::read_text(picture));
}

std::string page_after_scripts(const base::Path& page) {
    const TemporaryFolder folder;
    run_browser(page, "--dump-dom", folder / "output");
    return io::read_text(folder / "output");
}

}  // namespace hodo::test
