#include "hodo/io/detail/column_types.hh"

#include <algorithm>

#include "hodo/base/error.hh"

namespace hodo::io::detail {

namespace {

constexpr int deepest_list = 2;

/// The type a DuckDB leaf is delivered as, and whether it needs a cast for it.
struct Delivery {
    ColumnType type;
    bool cast;
};

Delivery delivery(duckdb_type type) {
    switch (type) {
        case DUCKDB_TYPE_BOOLEAN:
            return {ColumnType::boolean, false};
        case DUCKDB_TYPE_INTEGER:
            return {ColumnType::i32, false};
        case DUCKDB_TYPE_BIGINT:
            return {ColumnType::i64, false};
        case DUCKDB_TYPE_FLOAT:
            return {ColumnType::f32, false};
        case DUCKDB_TYPE_DOUBLE:
            return {ColumnType::f64, false};
        case DUCKDB_TYPE_VARCHAR:
            return {ColumnType::text, false};
        case DUCKDB_TYPE_TINYINT:
        case DUCKDB_TYPE_SMALLINT:
        case DUCKDB_TYPE_UTINYINT:
        case DUCKDB_TYPE_USMALLINT:
        case DUCKDB_TYPE_UINTEGER:
        case DUCKDB_TYPE_UBIGINT:
            return {ColumnType::i64, true};
        case DUCKDB_TYPE_DECIMAL:
        case DUCKDB_TYPE_HUGEINT:
        case DUCKDB_TYPE_UHUGEINT:
            return {ColumnType::f64, true};
        default:
            return {ColumnType::text, true};
    }
}

duckdb_type duckdb_leaf(ColumnType type) {
    switch (type) {
        case ColumnType::f64:
            return DUCKDB_TYPE_DOUBLE;
        case ColumnType::f32:
            return DUCKDB_TYPE_FLOAT;
        case ColumnType::i64:
            return DUCKDB_TYPE_BIGINT;
        case ColumnType::i32:
            return DUCKDB_TYPE_INTEGER;
        case ColumnType::boolean:
            return DUCKDB_TYPE_BOOLEAN;
        case ColumnType::text:
            break;
    }
    return DUCKDB_TYPE_VARCHAR;
}

std::string sql_type(const ColumnSpec& spec) {
    static constexpr std::string_view names[] = {"DOUBLE",  "FLOAT",   "BIGINT",
                                                 "INTEGER", "BOOLEAN", "VARCHAR"};
    std::string text(names[static_cast<std::size_t>(spec.type)]);
    for (int level = 0; level < spec.list_levels; ++level) text += "[]";
    return text;
}

/// Collects the leaves below one column.
class LeafFinder {
  public:
    std::vector<Leaf> leaves;

    /// `open`: pieces "list_transform(..., lambda x: " that wait to be closed.
    void visit(const LogicalType& type, const std::string& name, const std::string& expression,
               int levels, bool needs_cast) {
        const DuckDb& library = duckdb();
        const duckdb_type id = library.get_type_id(type.get());
        if (id == DUCKDB_TYPE_STRUCT) {
            const idx_t fields = library.struct_type_child_count(type.get());
            for (idx_t i = 0; i < fields; ++i) {
                char* text = library.struct_type_child_name(type.get(), i);
                const std::string field = text;
                library.free(text);
                const LogicalType child(library.struct_type_child_type(type.get(), i));
                visit(child, name + "." + field, field_of(expression, field, levels), levels,
                      needs_cast);
            }
        } else if (id == DUCKDB_TYPE_LIST) {
            const LogicalType child(library.list_type_child_type(type.get()));
            visit(child, name, expression, levels + 1, needs_cast);
        } else if (id == DUCKDB_TYPE_ARRAY) {
            const LogicalType child(library.array_type_child_type(type.get()));
            visit(child, name, expression, levels + 1, true);
        } else if (id != DUCKDB_TYPE_MAP && id != DUCKDB_TYPE_UNION && levels <= deepest_list) {
            add(name, expression, levels, delivery(id), needs_cast);
        }
    }

  private:
    /// Field `field` of a struct that stands below `levels` lists.
    static std::string field_of(const std::string& expression, const std::string& field,
                                int levels) {
        if (levels == 0) return base::format("({}).{}", expression, quote_name(field));
        std::string inner = "element." + quote_name(field);
        for (int level = 1; level < levels; ++level) {
            inner = base::format("list_transform(element, lambda element: {})", inner);
        }
        return base::format("list_transform({}, lambda element: {})", expression, inner);
    }

    void add(const std::string& name, const std::string& expression, int levels, Delivery target,
             bool needs_cast) {
        const ColumnSpec spec{name, target.type, levels};
        leaves.push_back({spec, needs_cast || target.cast
                                    ? base::format("CAST({} AS {})", expression, sql_type(spec))
                                    : expression});
    }
};

void insert(FieldTree& tree, const std::vector<std::string>& path, std::size_t depth,
            std::size_t column, const std::string& whole) {
    auto child = std::find_if(tree.children.begin(), tree.children.end(),
                              [&](const FieldTree& other) { return other.name == path[depth]; });
    const bool last = depth + 1 == path.size();
    if (child == tree.children.end()) {
        tree.children.push_back({path[depth], column, {}});
        child = std::prev(tree.children.end());
    } else {
        HODO_CHECK(!last && !child->children.empty(),
                   "column '{}' stands twice or is both a column and a struct of others", whole);
    }
    if (!last) insert(*child, path, depth + 1, column, whole);
}

}  // namespace

std::vector<Leaf> leaves(const Query& query) {
    LeafFinder finder;
    for (std::size_t i = 0; i < query.columns(); ++i) {
        const std::string name = query.name(i);
        finder.visit(query.type(i), name, quote_name(name), 0, false);
    }
    return std::move(finder.leaves);
}

FieldTree field_tree(const std::vector<ColumnSpec>& columns) {
    FieldTree root;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        insert(root, base::split(columns[i].name, '.'), 0, i, columns[i].name);
    }
    return root;
}

LogicalType logical_type(const FieldTree& tree, const std::vector<ColumnSpec>& columns) {
    const DuckDb& library = duckdb();
    if (tree.children.empty()) {
        const ColumnSpec& spec = columns[tree.column];
        LogicalType type(library.create_logical_type(duckdb_leaf(spec.type)));
        for (int level = 0; level < spec.list_levels; ++level) {
            type = LogicalType(library.create_list_type(type.get()));
        }
        return type;
    }
    std::vector<LogicalType> owners;
    std::vector<duckdb_logical_type> types;
    std::vector<const char*> names;
    for (const FieldTree& child : tree.children) {
        owners.push_back(logical_type(child, columns));
        types.push_back(owners.back().get());
        names.push_back(child.name.c_str());
    }
    return LogicalType(library.create_struct_type(types.data(), names.data(), types.size()));
}

}  // namespace hodo::io::detail
