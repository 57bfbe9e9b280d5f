// Pickles: the stack machine that calls nothing, and what can be asked of its values.

#include "hodo/io/pickle.hh"
#include "fuzz/target.hh"

namespace {

void visit(const hodo::io::PickleValue& value, int& left, int depth) {
    if (--left < 0 || depth > 50) return;
    value.description();
    using enum hodo::io::PickleKind;
    for (std::size_t i = 0; value.is(dict) && i < value.size(); ++i) {
        visit(value.key(i), left, depth + 1);
        visit(value.value(i), left, depth + 1);
    }
    for (std::size_t i = 0; (value.is(list) || value.is(tuple)) && i < value.size(); ++i) {
        visit(value.item(i), left, depth + 1);
    }
}

}  // namespace

void hodo::fuzz::read(std::string_view data) {
    const auto pickle = io::Pickle::parse(io::make_blob(data), "fuzz.pkl");
    int left = 1000;
    visit(pickle.root(), left, 0);
}

std::vector<std::string> hodo::fuzz::seeds() {
    using namespace std::string_literals;
    return {// {'a': [1, 2.5, None, True], 'b': ('x', b'y')}
            "\x80\x02}q\x00(X\x01\x00\x00\x00"
            "aq\x01]q\x02(K\x01G@\x04\x00\x00\x00\x00\x00\x00N\x88"
            "eX\x01\x00\x00\x00"
            "bq\x03X\x01\x00\x00\x00xq\x04X\x01\x00\x00\x00yq\x05\x86q\x06u."s,
            // collections.OrderedDict([('a', 1)])
            "\x80\x02"
            "ccollections\nOrderedDict\nq\x00)Rq\x01X\x01\x00\x00\x00"
            "aq\x02K\x01s."s,
            // a call that must never happen
            "\x80\x02"
            "cos\nsystem\nq\x00X\x04\x00\x00\x00trueq\x01\x85q\x02Rq\x03."s,
            // 2 ** 70
            "\x80\x02\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x00\x40."s};
}
