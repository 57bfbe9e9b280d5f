#pragma once
/// What `hodo weights list`, `convert` and `diff` do, as functions that return text.

#include "hodo/io/weights.hh"

namespace hodo::io {

enum class Norms { skip, compute };

/// A table of names, types, shapes, elements and Euclidean norms, then totals and the metadata that
/// is plain. Without norms only the file's directory is read, never the weights.
std::string list_weights(const base::Path& file, WeightChoice choice = WeightChoice::automatic,
                         Norms norms = Norms::compute);

/// Writes the weights of `in` in the format that the ending of `out` names, with their hyper
/// parameters, epoch and step; optimizer states stay behind. Returns a sentence on what was
/// written.
std::string convert_weights(const base::Path& in, const base::Path& out,
                            WeightChoice choice = WeightChoice::automatic);

/// How two sets of weights differ.
struct WeightDifference {
    bool is_equal = false;
    std::string report;
};

/// What counts as equal: numbers that differ by `floor` at most, and tensors whose largest
/// difference is at most `relative` times their largest magnitude in the first file.
struct Tolerance {
    double relative = 0, floor = 0;
};

/// Compares by name: tensors in one file only, other shapes, and the largest absolute difference of
/// each tensor. Types may differ; not-a-number equals itself.
WeightDifference diff_weights(const base::Path& a, const base::Path& b, Tolerance tolerance = {},
                              WeightChoice choice = WeightChoice::automatic);

}  // namespace hodo::io
