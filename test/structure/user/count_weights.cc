// Names the parameters of a module, with the half of Hodoscope that needs LibTorch.

#include <cstdio>
#include <hodo/tensor/parameters.hh>
#include <hodo/tensor/torch.hh>

struct Line {
    at::Tensor slope = at::ones({2, 3});
    void visit(hodo::tensor::ParameterVisitor& v) { v("slope", slope); }
};

int main() {
    Line line;
    for (const auto& [name, tensor] : hodo::tensor::named_parameters(line)) {
        std::printf("%s %d\n", name.c_str(), static_cast<int>(tensor->numel()));
    }
}
