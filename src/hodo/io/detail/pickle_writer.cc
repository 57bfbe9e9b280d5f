#include "hodo/io/detail/pickle_writer.hh"

#include <bit>
#include <limits>

#include "hodo/base/error.hh"

namespace hodo::io {

template <class Number>
void PickleWriter::number(Number value) {
    out_.append(reinterpret_cast<const char*>(&value), sizeof value);
}

PickleWriter::PickleWriter() : out_("\x80\x02") {}

void PickleWriter::none() {
    op('N');
}

void PickleWriter::boolean(bool value) {
    op(value ? '\x88' : '\x89');
}

void PickleWriter::integer(std::int64_t value) {
    using Limits = std::numeric_limits<std::int32_t>;
    if (value >= Limits::min() && value <= Limits::max()) {
        op('J');
        number(static_cast<std::int32_t>(value));
    } else {
        op('\x8a');
        op('\x08');
        number(value);
    }
}

void PickleWriter::unsigned_integer(std::uint64_t value) {
    op('\x8a');
    op('\x09');
    number(value);
    op('\0');  // the sign
}

void PickleWriter::real(double value) {
    op('G');
    number(__builtin_bswap64(std::bit_cast<std::uint64_t>(value)));
}

void PickleWriter::text(std::string_view value) {
    HODO_CHECK(value.size() <= std::numeric_limits<std::uint32_t>::max(),
               "a text of {} bytes does not fit into a PyTorch file; shorten it", value.size());
    op('X');
    number(static_cast<std::uint32_t>(value.size()));
    out_ += value;
}

void PickleWriter::tuple(const std::vector<std::int64_t>& values) {
    begin_tuple();
    for (const auto value : values) integer(value);
    end_tuple();
}

void PickleWriter::symbol(std::string_view module, std::string_view name) {
    op('c');
    out_ += module;
    out_ += '\n';
    out_ += name;
    out_ += '\n';
}

void PickleWriter::begin_dict() {
    out_ += "}(";
}

void PickleWriter::begin_ordered_dict() {
    symbol("collections", "OrderedDict");
    out_ += ")R(";
}

void PickleWriter::end_items() {
    op('u');
}

void PickleWriter::begin_list() {
    out_ += "](";
}

void PickleWriter::end_list() {
    op('e');
}

void PickleWriter::begin_tuple() {
    op('(');
}

void PickleWriter::end_tuple() {
    op('t');
}

void PickleWriter::call() {
    op('R');
}

void PickleWriter::persistent() {
    op('Q');
}

void PickleWriter::json(const Json& value) {
    if (value.is_null()) {
        none();
    } else if (value.is_text()) {
        text(value.text());
    } else if (value.is_object()) {
        begin_dict();
        for (const auto& [key, member] : value.members()) {
            text(key);
            json(member);
        }
        end_items();
    } else if (value.is_list()) {
        begin_list();
        for (const auto& item : value.items()) json(item);
        end_list();
    } else if (value.is_integer()) {
        const auto digits = value.dump();
        const auto number = base::parse_int(digits);
        number ? integer(*number) : unsigned_integer(std::stoull(digits));
    } else if (value.is_number()) {
        real(value.number());
    } else {
        boolean(value.boolean());
    }
}

std::string PickleWriter::finish() {
    op('.');
    return std::move(out_);
}

}  // namespace hodo::io
