#pragma once
/// Parameters are visited, not registered.
///
/// A network module is a plain struct of tensors and smaller modules with one function that names
/// them. From it come the names in checkpoints, the optimizer's list, counting and initialising;
/// saving and loading cannot drift apart.
///
///     struct Linear {
///         at::Tensor weight, bias;
///         void visit(ParameterVisitor& v) { v("weight", weight); v("bias", bias); }
///     };
///     struct Block {
///         Linear first, second;
///         void visit(ParameterVisitor& v) { v.group("first", first); v.group("second", second); }
///     };
///
/// `named_parameters(block)` gives "first.weight", "first.bias", ... in the order of visiting,
/// which is the order of optimizer states.

#include <string>
#include <string_view>
#include <vector>

namespace at {
class Tensor;
}

namespace hodo::tensor {

/// A module's own tensor handle and its full name.
struct NamedParameter {
    std::string name;
    at::Tensor* tensor;
};

class ParameterVisitor {
  public:
    void operator()(std::string_view name, at::Tensor& tensor) {
        found_.push_back({prefix_ + std::string(name), &tensor});
    }
    template <class Module>
    void group(std::string_view name, Module& module) {
        const auto length = prefix_.size();
        prefix_.append(name).push_back('.');
        module.visit(*this);
        prefix_.resize(length);
    }
    std::vector<NamedParameter> take() && { return std::move(found_); }

  private:
    std::string prefix_;
    std::vector<NamedParameter> found_;
};

/// All parameters of a module, in the order it visits them.
template <class Module>
std::vector<NamedParameter> named_parameters(Module& module) {
    ParameterVisitor visitor;
    module.visit(visitor);
    return std::move(visitor).take();
}

}  // namespace hodo::tensor
