#pragma once
/// Named parameters in and out of weight files.

#include "hodo/io/array.hh"
#include "hodo/io/weights.hh"
#include "hodo/tensor/parameters.hh"

#include <functional>
#include <span>
#include <string>

namespace hodo::tensor {

/// What a name in the program is called in the file. Default: the same.
using NameMap = std::function<std::string(const std::string&)>;

/// Copies every tensor of `file` into the parameter of its name, converting the element type.
/// Strict: missing names, unexpected names and different shapes are one error that lists them;
/// then no parameter has been changed.
void load_parameters(std::span<const NamedParameter> parameters, const io::WeightFile& file,
                     const NameMap& name_in_file = {});

/// The parameters as arrays (copies), in their order.
io::NamedArrays parameter_arrays(std::span<const NamedParameter> parameters);

/// What tells weights apart: 16 hexadecimal digits, an FNV-1a hash of the parameters' names and
/// bytes in their order.
std::string fingerprint(std::span<const NamedParameter> parameters);

/// Number of elements of all parameters.
std::int64_t parameter_count(std::span<const NamedParameter> parameters);

}  // namespace hodo::tensor
