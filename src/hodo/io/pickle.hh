#pragma once
/// Pickles read without executing them.
///
/// A pickle is a program for a small stack machine. This machine calls nothing and makes no
/// objects: every name of a class or function becomes an inert symbol, every call an inert node
/// (symbol, arguments, state). Afterwards a fixed list of calls gets a meaning: ordered and
/// counting dictionaries, sets, complex numbers, numpy scalars and dtypes, torch sizes, devices,
/// tensors and parameters, paths, namespaces. Everything else stays opaque.
///
/// Protocols 2 to 5, the opcodes that Python, numpy and PyTorch write. Nodes refer to each other by
/// index, so shared and even cyclic values cost nothing; nesting, memo, counts and the length of
/// integers are bounded.

#include "hodo/io/array.hh"
#include "hodo/io/mapped_file.hh"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hodo::io {

enum class PickleKind : std::uint8_t {
    none,
    boolean,
    integer,
    big_integer,
    real,
    text,
    bytes,
    tuple,
    list,
    dict,
    set,
    storage,  ///< bytes beside the pickle that tensors refer to
    tensor,
    symbol,  ///< the name of a class or function, "module name"
    object   ///< a call or instance without meaning for us
};
std::string_view name(PickleKind kind);

/// A storage: elements of one type that lie beside the pickle under a key.
struct PickleStorage {
    std::string key;
    DType dtype = DType::f32;
    std::uint64_t count = 0;  ///< elements
    std::uint64_t view = 0;   ///< first element of a view (legacy files)
};

/// A strided view of a storage. Checked: every element lies inside the storage.
struct PickleTensor {
    PickleStorage storage;
    std::uint64_t offset = 0;  ///< of the first element, in elements
    std::vector<std::int64_t> shape;
    std::vector<std::int64_t> strides;  ///< in elements, not negative
};

struct PickleGraph;

/// A value of a pickle: a cheap handle into it. Access of the wrong kind is an error that says what
/// was expected and found.
class PickleValue {
  public:
    PickleValue(const PickleGraph* graph, std::uint32_t node) : graph_(graph), node_(node) {}

    PickleKind kind() const;
    bool is(PickleKind wanted) const { return kind() == wanted; }
    bool is_number() const;
    bool boolean() const;
    /// An integer (or bool); one beyond 64 bits is an error.
    std::int64_t integer() const;
    /// A float or integer.
    double real() const;
    /// Content of text or bytes; the decimal digits of a big integer; "module name" of a symbol,
    /// and for an object that of its class or function.
    std::string_view text() const;
    /// Members of a tuple, list or set; pairs of a dict.
    std::size_t size() const;
    PickleValue item(std::size_t index) const;
    PickleValue key(std::size_t index) const;
    PickleValue value(std::size_t index) const;
    /// The value under a text key of a dict; none when absent or when this is no dict.
    std::optional<PickleValue> find(std::string_view key) const;
    const PickleTensor& tensor() const;
    /// Arguments and state of an object.
    PickleValue arguments() const;
    std::optional<PickleValue> state() const;
    /// What it is, for messages: "a list of 3", "an object of 'torch.optim.swa_utils SWALR'".
    std::string description() const;

  private:
    const PickleGraph* graph_;
    std::uint32_t node_;
};

/// A parsed pickle; keeps its bytes alive.
class Pickle {
  public:
    /// Interprets the pickle at the front of `content`; `origin` stands in messages.
    static Pickle parse(Blob content, std::string_view origin);
    PickleValue root() const;
    /// The first storage that a persistent id of the pickle gave the key; none when there is none.
    const PickleStorage* storage(std::string_view key) const;
    /// Bytes up to and including the final opcode.
    std::size_t length() const;

  private:
    std::shared_ptr<const PickleGraph> graph_;
};

}  // namespace hodo::io
