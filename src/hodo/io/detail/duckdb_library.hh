#pragma once
/// DuckDB's C functions, found at run time.
///
/// The library is opened by the first call of `duckdb()`. It is searched as $HODO_DUCKDB (the
/// file), beside libhodo_base.so in `hodoscope/` and in the same folder (in the build tree a link).
/// The members carry the names of DuckDB without "duckdb_".

#include <duckdb.h>

#include <optional>
#include <string>

// One line for each function that Hodoscope calls.
#define HODO_DUCKDB_FUNCTIONS(use)                                                                 \
    use(library_version) use(create_config) use(set_config) use(destroy_config) use(open_ext) use( \
        close) use(connect) use(disconnect) use(free) use(query) use(prepare) use(prepare_error)   \
        use(destroy_prepare) use(execute_prepared_streaming) use(                                  \
            prepared_statement_column_count) use(prepared_statement_column_name)                   \
            use(prepared_statement_column_logical_type) use(fetch_chunk) use(result_error) use(    \
                destroy_result) use(create_logical_type) use(create_list_type)                     \
                use(create_struct_type) use(destroy_logical_type) use(get_type_id) use(            \
                    decimal_scale) use(list_type_child_type) use(array_type_child_type)            \
                    use(array_type_array_size) use(struct_type_child_count) use(                   \
                        struct_type_child_name) use(struct_type_child_type)                        \
                        use(destroy_data_chunk) use(data_chunk_get_size) use(                      \
                            data_chunk_set_size) use(data_chunk_get_vector) use(vector_size)       \
                            use(vector_get_column_type) use(vector_get_data) use(                  \
                                vector_get_validity) use(vector_assign_string_element_len)         \
                                use(vector_reference_vector) use(slice_vector) use(                \
                                    create_selection_vector) use(destroy_selection_vector)         \
                                    use(selection_vector_get_data_ptr) use(list_vector_get_child)  \
                                        use(list_vector_get_size) use(list_vector_reserve) use(    \
                                            list_vector_set_size) use(array_vector_get_child)      \
                                            use(struct_vector_get_child) use(                      \
                                                create_table_function) use(destroy_table_function) \
                                                use(table_function_set_name)                       \
                                                    use(table_function_set_extra_info)             \
                                                        use(table_function_set_bind) use(          \
                                                            table_function_set_init)               \
                                                            use(table_function_set_function) use(  \
                                                                register_table_function)           \
                                                                use(bind_get_extra_info) use(      \
                                                                    bind_add_result_column)        \
                                                                    use(init_set_max_threads) use( \
                                                                        function_get_extra_info)   \
                                                                        use(function_set_error)

namespace hodo::io::detail {

struct DuckDb {
#define HODO_DECLARE_(name) decltype(&duckdb_##name) name = nullptr;
    HODO_DUCKDB_FUNCTIONS(HODO_DECLARE_)
#undef HODO_DECLARE_
};

/// The open library; an error with exit code 3 that says what to do when it is missing.
const DuckDb& duckdb();

/// The same, or nothing.
const DuckDb* duckdb_if_present();

}  // namespace hodo::io::detail
