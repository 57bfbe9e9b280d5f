// Configuration files.

#include "fuzz/target.hh"
#include "hodo/base/config.hh"

namespace {

struct Inner {
    double length = 1.0;
    std::vector<double> weights;
    void describe(hodo::base::Fields& f) {
        f("length", length, "mean length [m]").above(0);
        f("weights", weights, "one for each class").at_least(0);
    }
};

struct Options {
    int count = 3;
    std::string name = "toy";
    Inner inner;
    void describe(hodo::base::Fields& f) {
        f("count", count, "how many").between(1, 50);
        f("name", name, "what it is called");
        f.group("inner", inner, "the inside");
    }
};

}  // namespace

void hodo::fuzz::read(std::string_view data) {
    auto config = base::Config::parse(data, "fuzz.yaml");
    for (const auto& key : config.keys()) config.where(key);
    config.set("inner.length", "2");
    config.as<Options>();
}

std::vector<std::string> hodo::fuzz::seeds() {
    return {"count: 4\nname: 'x'\ninner:\n  length: 1e3\n  weights: [1, 2.5]\n",
            "inner: {length: .inf, weights: []}\n", "# nothing\n",
            "a: &b [*b, !!str 1, \"\\x41\"]\n"};
}
