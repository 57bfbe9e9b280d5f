#pragma once
/// Writes pickles of protocol 2 with the opcodes that PyTorch's restricted reader takes.

#include "hodo/io/json.hh"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hodo::io {

class PickleWriter {
  public:
    PickleWriter();

    void none();
    void boolean(bool value);
    void integer(std::int64_t value);
    void unsigned_integer(std::uint64_t value);
    void real(double value);
    void text(std::string_view value);
    void tuple(const std::vector<std::int64_t>& values);
    /// The name of a class or function.
    void symbol(std::string_view module, std::string_view name);
    /// Members follow (keys and values in turn) until `end_items`.
    void begin_dict();
    /// A collections.OrderedDict, likewise.
    void begin_ordered_dict();
    void end_items();
    void begin_list();
    void end_list();
    /// Members follow until `end_tuple`.
    void begin_tuple();
    void end_tuple();
    /// Calls the symbol written before the tuple that was just written.
    void call();
    /// Makes the tuple that was just written a reference to something outside the pickle.
    void persistent();
    void json(const Json& value);
    /// The whole pickle.
    std::string finish();

  private:
    void op(char code) { out_ += code; }
    template <class Number>
    void number(Number value);
    std::string out_;
};

}  // namespace hodo::io
