#include <bit>
#include <cstring>

#include "hodo/io/detail/pickle_graph.hh"

namespace hodo::io {

namespace {

enum class Op : std::uint8_t {
    proto = 0x80,
    frame = 0x95,
    mark = '(',
    stop = '.',
    pop = '0',
    pop_mark = '1',
    dup = '2',
    none = 'N',
    new_true = 0x88,
    new_false = 0x89,
    bin_int = 'J',
    bin_int1 = 'K',
    bin_int2 = 'M',
    long1 = 0x8a,
    long4 = 0x8b,
    bin_float = 'G',
    short_bin_unicode = 0x8c,
    bin_unicode = 'X',
    bin_unicode8 = 0x8d,
    short_bin_string = 'U',
    bin_string = 'T',
    short_bin_bytes = 'C',
    bin_bytes = 'B',
    bin_bytes8 = 0x8e,
    byte_array8 = 0x96,
    empty_tuple = ')',
    tuple = 't',
    tuple1 = 0x85,
    tuple2 = 0x86,
    tuple3 = 0x87,
    empty_list = ']',
    list = 'l',
    append = 'a',
    appends = 'e',
    empty_dict = '}',
    dict = 'd',
    set_item = 's',
    set_items = 'u',
    empty_set = 0x8f,
    add_items = 0x90,
    frozen_set = 0x91,
    global = 'c',
    stack_global = 0x93,
    reduce = 'R',
    build = 'b',
    new_obj = 0x81,
    new_obj_ex = 0x92,
    bin_pers_id = 'Q',
    bin_put = 'q',
    long_bin_put = 'r',
    memoize = 0x94,
    bin_get = 'h',
    long_bin_get = 'j'
};

constexpr std::size_t longest_integer = 512;  // bytes

/// Decimal digits of a little-endian two's-complement integer.
std::string decimal(std::string_view bytes) {
    const bool is_negative = !bytes.empty() && (static_cast<unsigned char>(bytes.back()) & 0x80);
    std::vector<std::uint32_t> limbs{0};  // base 10^9, least significant first
    for (std::size_t i = bytes.size(); i-- > 0;) {
        auto digit = static_cast<unsigned char>(bytes[i]);
        // The magnitude of a negative number is the complement plus one.
        std::uint64_t carry = is_negative ? static_cast<unsigned char>(~digit) : digit;
        for (auto& limb : limbs) {
            carry += std::uint64_t{limb} * 256;
            limb = static_cast<std::uint32_t>(carry % 1'000'000'000);
            carry /= 1'000'000'000;
        }
        if (carry > 0) limbs.push_back(static_cast<std::uint32_t>(carry));
    }
    std::uint64_t carry = is_negative ? 1 : 0;
    for (auto& limb : limbs) {
        carry += limb;
        limb = static_cast<std::uint32_t>(carry % 1'000'000'000);
        carry /= 1'000'000'000;
    }
    if (carry > 0) limbs.push_back(static_cast<std::uint32_t>(carry));
    auto digits = (is_negative ? "-" : "") + std::to_string(limbs.back());
    for (std::size_t i = limbs.size() - 1; i-- > 0;) digits += base::format("{:09}", limbs[i]);
    return digits;
}

/// The stack machine: reads opcodes, builds nodes, calls nothing.
class Machine {
  public:
    explicit Machine(PickleGraph& graph) : graph_(graph) {}

    void run() {
        while (!has_stopped_) step(static_cast<Op>(take<std::uint8_t>()));
    }

  private:
    // ---- the byte stream ----
    std::string_view take_bytes(std::uint64_t count) {
        const auto content = graph_.content.text();
        if (count > content.size() - graph_.position) graph_.damaged("it ends too early");
        const auto bytes = content.substr(graph_.position, count);
        graph_.position += static_cast<std::size_t>(count);
        return bytes;
    }
    template <class Number>
    Number take() {
        Number value;
        std::memcpy(&value, take_bytes(sizeof value).data(), sizeof value);
        return value;
    }
    std::string_view take_line() {
        const auto content = graph_.content.text();
        const auto end = content.find('\n', graph_.position);
        if (end == std::string_view::npos) graph_.damaged("it ends within a name");
        const auto line = take_bytes(end - graph_.position);
        ++graph_.position;
        return line;
    }

    // ---- the stack ----
    std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }
    void push(NodeId id) { stack_.push_back(id); }
    NodeId pop() {
        const auto id = top();
        stack_.pop_back();
        return id;
    }
    NodeId top() const {
        if (stack_.size() <= floor()) graph_.damaged("a value is missing from the stack");
        return stack_.back();
    }
    std::vector<NodeId> pop_to_mark() {
        if (marks_.empty()) graph_.damaged("a mark is missing from the stack");
        const auto start = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
        std::vector<NodeId> members(start, stack_.end());
        stack_.erase(start, stack_.end());
        marks_.pop_back();
        return members;
    }

    // ---- values ----
    void push_bool(bool value) {
        push(graph_.add_integer(value ? 1 : 0));
        graph_[stack_.back()].kind = PickleKind::boolean;
    }
    void push_container(PickleKind kind, const std::vector<NodeId>& members) {
        const auto id = graph_.add(kind);
        for (const auto member : members) graph_.attach(id, member);
        push(id);
    }
    void push_tuple(std::size_t count) {
        std::vector<NodeId> members(count);
        for (std::size_t i = count; i-- > 0;) members[i] = pop();
        push_container(PickleKind::tuple, members);
    }
    void push_long(std::uint64_t count) {
        if (count > longest_integer) graph_.damaged("an integer of {} bytes", count);
        const auto bytes = take_bytes(count);
        if (count > 8) {
            push(graph_.add_text(PickleKind::big_integer, graph_.keep(decimal(bytes))));
            return;
        }
        const bool is_negative = count > 0 && (static_cast<unsigned char>(bytes.back()) & 0x80);
        std::int64_t value = is_negative ? -1 : 0;
        std::memcpy(&value, bytes.data(), bytes.size());
        push(graph_.add_integer(value));
    }
    void push_float() {
        auto bits = take<std::uint64_t>();
        bits = __builtin_bswap64(bits);
        push(graph_.add_real(std::bit_cast<double>(bits)));
    }
    void push_symbol(std::string_view module, std::string_view symbol) {
        const auto text = graph_.keep(std::string(module) + ' ' + std::string(symbol));
        push(graph_.add_text(PickleKind::symbol, text));
    }
    void push_stack_symbol() {
        const auto symbol = pop(), module = pop();
        if (graph_[symbol].kind != PickleKind::text || graph_[module].kind != PickleKind::text) {
            graph_.damaged("a symbol whose name is no text");
        }
        push_symbol(graph_[module].text, graph_[symbol].text);
    }

    // ---- filling containers ----
    void append_to(NodeId target, const std::vector<NodeId>& members) {
        const auto kind = graph_[target].kind;
        if (kind != PickleKind::list && kind != PickleKind::set && kind != PickleKind::object) {
            graph_.damaged("members for {}", graph_.value(target).description());
        }
        for (const auto member : members) graph_.attach(target, member);
    }
    void set_pairs(NodeId target, const std::vector<NodeId>& members) {
        const auto kind = graph_[target].kind;
        if (kind != PickleKind::dict && kind != PickleKind::object) {
            graph_.damaged("keys for {}", graph_.value(target).description());
        }
        if (members.size() % 2 != 0) graph_.damaged("a key without a value");
        for (const auto member : members) graph_.attach(target, member);
    }

    // ---- memo ----
    void put(std::uint64_t index) {
        // An honest pickle numbers its values without gaps, so its own length bounds the index.
        if (index > graph_.content.bytes.size()) graph_.damaged("memo index {}", index);
        if (index >= memo_.size()) memo_.resize(static_cast<std::size_t>(index) + 1, no_node);
        auto& place = memo_[static_cast<std::size_t>(index)];
        if (place == no_node) ++memo_count_;
        place = top();
    }
    void get(std::uint64_t index) {
        if (index >= memo_.size() || memo_[static_cast<std::size_t>(index)] == no_node) {
            graph_.damaged("memo index {} that was never set", index);
        }
        push(memo_[static_cast<std::size_t>(index)]);
    }

    // ---- inert calls ----
    void call() {
        const auto arguments = pop(), callable = pop();
        push(interpret_call(graph_, callable, arguments));
    }
    void call_with_keywords() {
        const auto keywords = pop();
        const auto arguments = pop(), callable = pop();
        const auto object = interpret_call(graph_, callable, arguments);
        push(graph_[keywords].items.empty() ? object : interpret_state(graph_, object, keywords));
    }
    void build() {
        const auto state = pop();
        const auto object = pop();
        const auto built = interpret_state(graph_, object, state);
        // Values that were memoized before their state came are replaced by what they turned into.
        if (built != object) {
            graph_.spend(graph_[built].items.size() * sizeof(NodeId));
            graph_[object] = PickleNode(graph_[built]);
        }
        push(object);
    }
    void stop() {
        graph_.root = pop();
        has_stopped_ = true;
    }

    void step(Op op);
    bool step_number(Op op);
    bool step_text(Op op);
    bool step_container(Op op);

    PickleGraph& graph_;
    std::vector<NodeId> stack_;
    std::vector<std::size_t> marks_;
    std::vector<NodeId> memo_;
    std::size_t memo_count_ = 0;
    bool has_stopped_ = false;
};

bool Machine::step_number(Op op) {
    switch (op) {
        case Op::none:
            push(graph_.add(PickleKind::none));
            return true;
        case Op::new_true:
            push_bool(true);
            return true;
        case Op::new_false:
            push_bool(false);
            return true;
        case Op::bin_int:
            push(graph_.add_integer(take<std::int32_t>()));
            return true;
        case Op::bin_int1:
            push(graph_.add_integer(take<std::uint8_t>()));
            return true;
        case Op::bin_int2:
            push(graph_.add_integer(take<std::uint16_t>()));
            return true;
        case Op::long1:
            push_long(take<std::uint8_t>());
            return true;
        case Op::long4:
            push_long(take<std::uint32_t>());
            return true;
        case Op::bin_float:
            push_float();
            return true;
        default:
            return false;
    }
}

bool Machine::step_text(Op op) {
    const auto add = [this](PickleKind kind, std::uint64_t count) {
        push(graph_.add_text(kind, take_bytes(count)));
        return true;
    };
    switch (op) {
        case Op::short_bin_unicode:
        case Op::short_bin_string:
            return add(PickleKind::text, take<std::uint8_t>());
        case Op::bin_unicode:
        case Op::bin_string:
            return add(PickleKind::text, take<std::uint32_t>());
        case Op::bin_unicode8:
            return add(PickleKind::text, take<std::uint64_t>());
        case Op::short_bin_bytes:
            return add(PickleKind::bytes, take<std::uint8_t>());
        case Op::bin_bytes:
            return add(PickleKind::bytes, take<std::uint32_t>());
        case Op::bin_bytes8:
        case Op::byte_array8:
            return add(PickleKind::bytes, take<std::uint64_t>());
        default:
            return false;
    }
}

bool Machine::step_container(Op op) {
    const auto fill = [this](auto method, std::vector<NodeId> members) {
        (this->*method)(top(), members);
        return true;
    };
    switch (op) {
        case Op::empty_tuple:
            push(graph_.add(PickleKind::tuple));
            return true;
        case Op::empty_list:
            push(graph_.add(PickleKind::list));
            return true;
        case Op::empty_dict:
            push(graph_.add(PickleKind::dict));
            return true;
        case Op::empty_set:
            push(graph_.add(PickleKind::set));
            return true;
        case Op::tuple:
            push_container(PickleKind::tuple, pop_to_mark());
            return true;
        case Op::tuple1:
            push_tuple(1);
            return true;
        case Op::tuple2:
            push_tuple(2);
            return true;
        case Op::tuple3:
            push_tuple(3);
            return true;
        case Op::list:
            push_container(PickleKind::list, pop_to_mark());
            return true;
        case Op::frozen_set:
            push_container(PickleKind::set, pop_to_mark());
            return true;
        case Op::dict: {
            const auto members = pop_to_mark();
            push(graph_.add(PickleKind::dict));
            return fill(&Machine::set_pairs, members);
        }
        case Op::append:
            return fill(&Machine::append_to, {pop()});
        case Op::appends:
        case Op::add_items:
            return fill(&Machine::append_to, pop_to_mark());
        case Op::set_item: {
            const auto value = pop(), key = pop();
            return fill(&Machine::set_pairs, {key, value});
        }
        case Op::set_items:
            return fill(&Machine::set_pairs, pop_to_mark());
        default:
            return false;
    }
}

void Machine::step(Op op) {
    if (step_number(op) || step_text(op) || step_container(op)) return;
    switch (op) {
        case Op::proto: {
            const auto version = take<std::uint8_t>();
            if (version > 5) graph_.damaged("protocol {}, newer than 5", version);
            return;
        }
        case Op::frame:
            take<std::uint64_t>();
            return;
        case Op::mark:
            marks_.push_back(stack_.size());
            return;
        case Op::stop:
            stop();
            return;
        case Op::pop:
            if (!marks_.empty() && stack_.size() == marks_.back()) {
                marks_.pop_back();
            } else {
                pop();
            }
            return;
        case Op::pop_mark:
            pop_to_mark();
            return;
        case Op::dup:
            push(top());
            return;
        case Op::global: {
            const auto module = take_line();
            push_symbol(module, take_line());
            return;
        }
        case Op::stack_global:
            push_stack_symbol();
            return;
        case Op::reduce:
        case Op::new_obj:
            call();
            return;
        case Op::new_obj_ex:
            call_with_keywords();
            return;
        case Op::build:
            build();
            return;
        case Op::bin_pers_id:
            push(interpret_persistent(graph_, pop()));
            return;
        case Op::bin_put:
            put(take<std::uint8_t>());
            return;
        case Op::long_bin_put:
            put(take<std::uint32_t>());
            return;
        case Op::memoize:
            put(memo_count_);
            return;
        case Op::bin_get:
            get(take<std::uint8_t>());
            return;
        case Op::long_bin_get:
            get(take<std::uint32_t>());
            return;
        default:
            graph_.damaged("opcode {} is unknown", static_cast<unsigned>(op));
    }
}

}  // namespace

Pickle Pickle::parse(Blob content, std::string_view origin) {
    const auto graph = std::make_shared<PickleGraph>();
    graph->content = std::move(content);
    graph->origin = origin;
    Machine(*graph).run();
    Pickle pickle;
    pickle.graph_ = graph;
    return pickle;
}

}  // namespace hodo::io
