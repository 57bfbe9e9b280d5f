// Events of PILArNet-M with any numbers in them, in HDF5 that is whole; hdf5.cc damages it.

#include "hodo/detector/lartpc/pilarnet.hh"
#include "fuzz/target.hh"
#include "hodo/base/error.hh"
#include "support/ragged_hdf5.hh"

#include <algorithm>
#include <cstring>

namespace lartpc = hodo::lartpc;

namespace {

/// Takes numbers from the front of the input; zeros behind its end.
class Taker {
  public:
    explicit Taker(std::string_view data) : data_(data) {}
    std::size_t below(std::size_t limit) {
        const std::size_t byte = data_.empty() ? 0 : static_cast<unsigned char>(data_.front());
        data_.remove_prefix(data_.empty() ? 0 : 1);
        return byte % limit;
    }
    /// A small number, or any at all.
    double number() {
        const auto kind = below(256);
        if (kind < 250) return static_cast<double>(kind) - 1;
        double value = 0;
        const auto size = std::min(sizeof value, data_.size());
        std::memcpy(&value, data_.data(), size);
        data_.remove_prefix(size);
        return value;
    }
    std::vector<std::vector<double>> rows(std::size_t events, std::size_t width) {
        std::vector<std::vector<double>> all(events);
        for (auto& row : all) {
            const auto odd = below(16) == 15 ? 1U : 0U;
            row.resize(below(4) * width + odd);
            for (auto& value : row) value = number();
        }
        return all;
    }

  private:
    std::string_view data_;
};

}  // namespace

void hodo::fuzz::read(std::string_view data) {
    Taker taker(data);
    const auto form = taker.below(8);
    const auto events = taker.below(4);
    std::vector<test::RaggedRows> sets{{"point", taker.rows(events, 8)},
                                       {"cluster", taker.rows(events, form % 2 ? 6 : 5)}};
    if (form % 2) sets.push_back({"cluster_extra", taker.rows(form > 5 ? events / 2 : events, 5)});
    const auto file = as_file(test::ragged_hdf5(sets));
    if (!lartpc::is_pilarnet(file)) throw base::Defect("not recognised");
    const lartpc::PilarnetFile opened(file);
    for (std::int64_t event = 0; event < opened.events(); ++event) {
        lartpc::PilarnetOptions options;
        if (form > 3) options = {lartpc::LowEnergy::drop, 1.0, 1, 5};
        try {
            const auto cloud = opened.read(event, 1, options);
            (void)lartpc::instances(cloud);
            if (cloud.starts.back() != cloud.size()) throw base::Defect("wrong starts");
        } catch (const base::Error&) {
            // One bad event says nothing about the others.
        }
    }
}

std::vector<std::string> hodo::fuzz::seeds() {
    using std::string_literals::operator""s;
    // Numbers are one byte each, one more than their value.
    const auto points =
        "\0\2"
        "\5\6\7\3\5\6\1\1"
        "\6\6\7\4\6\6\1\1"s;
    const auto extra = "\0\1\2\3\2\2\2"s;
    return {"\0\1"s + points + "\0\1\3\1\1\1\2"s, "\1\1"s + points + "\0\1\3\1\1\1\2\2"s + extra,
            "\5\1"s + points + "\0\1\3\0\0\1\2\0"s + extra};
}
