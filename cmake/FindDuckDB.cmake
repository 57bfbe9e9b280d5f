# Finds DuckDB's C header and shared library: DuckDB_ROOT, the build tree, then the system.
# Targets: DuckDB::header (the library is opened at run time, see io/detail/duckdb_library.hh).
find_path(DuckDB_INCLUDE_DIR duckdb.h HINTS ${DuckDB_ROOT} ${CMAKE_BINARY_DIR}/duckdb
          PATH_SUFFIXES include)
find_library(DuckDB_LIBRARY duckdb HINTS ${DuckDB_ROOT} ${CMAKE_BINARY_DIR}/duckdb
             PATH_SUFFIXES lib)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(DuckDB REQUIRED_VARS DuckDB_INCLUDE_DIR DuckDB_LIBRARY)
if(DuckDB_FOUND AND NOT TARGET DuckDB::header)
  add_library(DuckDB::header INTERFACE IMPORTED)
  target_include_directories(DuckDB::header SYSTEM INTERFACE ${DuckDB_INCLUDE_DIR})
endif()
