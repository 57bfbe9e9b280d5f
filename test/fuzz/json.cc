// JSON documents, and that what was read can be written and read again.

#include "hodo/io/json.hh"
#include "fuzz/target.hh"
#include "hodo/base/error.hh"

void hodo::fuzz::read(std::string_view data) {
    const auto text = io::Json::parse(data, "fuzz.json").dump();
    if (io::Json::parse(text, "again").dump() != text) throw base::Defect("not the same again");
}

std::vector<std::string> hodo::fuzz::seeds() {
    return {R"({"a": [1, -2.5e3, true, null, "xAy"], "b": {"c": {}}})", "[]",
            "18446744073709551615"};
}
