// Pickles: every value that can be reached.

#include "hodo/io/pickle.hh"
#include "fuzz/target.hh"
#include "hodo/base/error.hh"

namespace {

using hodo::io::PickleKind;
using hodo::io::PickleValue;

/// Looks at a value and at what it holds, down to a few levels: values may contain themselves.
void look(const PickleValue& value, int levels) {
    value.description();
    if (levels == 0) return;
    if (value.is(PickleKind::dict)) {
        for (std::size_t i = 0; i < value.size() && i < 8; ++i) {
            look(value.key(i), levels - 1);
            look(value.value(i), levels - 1);
        }
    } else if (value.is(PickleKind::list) || value.is(PickleKind::tuple)) {
        for (std::size_t i = 0; i < value.size() && i < 8; ++i) look(value.item(i), levels - 1);
    } else if (value.is(PickleKind::object)) {
        look(value.arguments(), levels - 1);
        if (const auto state = value.state()) look(*state, levels - 1);
    } else if (value.is(PickleKind::tensor)) {
        const auto& view = value.tensor();
        if (view.shape.size() != view.strides.size()) throw hodo::base::Defect("unchecked tensor");
    }
}

}  // namespace

void hodo::fuzz::read(std::string_view data) {
    const auto pickle = io::Pickle::parse(io::make_blob(data), "fuzz.pkl");
    if (pickle.length() > data.size()) throw base::Defect("read beyond the end");
    look(pickle.root(), 4);
}

std::vector<std::string> hodo::fuzz::seeds() {
    using std::string_literals::operator""s;
    return {
        "\x80\x02}q\0(X\x01\0\0\0aq\x01]q\x02(K\x01G@\x04\0\0\0\0\0\0N\x88"
        "eh\x01h\x02u."s,
        "\x80\x02(NJ\xfe\xff\xff\xff\x88\x89K\x07M\x02\x01]}\x8f)t."s,
        "\x80\x02\x8a\x09\0\0\0\0\0\0\0\0\x40."s,
        "\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x02ls\x85R."s,
        "\x80\x02"
        "ccollections\nOrderedDict\n)R(X\x01\0\0\0wK\x01u}b."s,
        "\x80\x02"
        "cnumpy.core.multiarray\nscalar\ncnumpy\ndtype\n(X\x02\0\0\0f8K\0K\x01tR"
        "(K\x03X\x01\0\0\0<Ntb"
        "C\x08\0\0\0\0\0\0\0\0\x86R."s,
        "\x80\x02"
        "ctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storage"
        "ctorch\nFloatStorage\nX\x01\0\0\0"
        "0X\x03\0\0\0cpuK\x0atQK\x02K\x04\x85K\x02\x85\x89"
        "ccollections\nOrderedDict\n)RtR."s};
}
