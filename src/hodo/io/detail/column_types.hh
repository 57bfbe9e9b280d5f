#pragma once
/// How DuckDB's types and Hodoscope's dotted leaf columns correspond.

#include "hodo/io/detail/duckdb_session.hh"
#include "hodo/io/table.hh"

#include <string>
#include <vector>

namespace hodo::io::detail {

/// A leaf column of a file and the SQL expression that delivers it as one of `ColumnType`.
struct Leaf {
    ColumnSpec spec;
    std::string expression;
};

/// The leaves of a query's columns: structs are opened, lists counted (fields of a struct below a
/// list count its level). Maps, unions and lists deeper than two levels are left out. Types without
/// a counterpart are delivered as text, decimal and very wide integers as float64.
std::vector<Leaf> leaves(const Query& query);

/// Columns with common dotted prefixes as a tree of structs; leaves have no children.
struct FieldTree {
    std::string name;
    std::size_t column = 0;  ///< Index of the leaf's column.
    std::vector<FieldTree> children;
};

/// Children of the root are the columns of the table. An error when a name is both a column and a
/// struct, or stands twice.
FieldTree field_tree(const std::vector<ColumnSpec>& columns);

/// DuckDB's type of a tree built over `columns`.
LogicalType logical_type(const FieldTree& tree, const std::vector<ColumnSpec>& columns);

}  // namespace hodo::io::detail
