// Writes a JSON document and reads it back, with the half of Hodoscope that needs no LibTorch.

#include <cstdio>
#include <hodo/base/text.hh>
#include <hodo/io/json.hh>

int main() {
    auto run = hodo::io::Json::object();
    run["events"] = 3;
    const auto again = hodo::io::Json::parse(run.dump(), "run.json");
    std::puts(hodo::base::format("{} events", again.at("events").integer()).c_str());
}
