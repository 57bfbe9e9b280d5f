# Installation and packages.
#
#   bin/hodo                          the command
#   lib/hodoscope/libhodo_base.so     everything that needs no LibTorch
#   lib/hodoscope/libhodo_learn.so    the verbs that learn, opened when asked for
#   lib/hodoscope/libduckdb.so        opened when a table is read, with its licence beside it
#   include/hodo/...                  headers;   lib/cmake/Hodoscope: find_package(Hodoscope)
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(HODO_PRIVATE_LIBRARIES ${CMAKE_INSTALL_LIBDIR}/hodoscope)
set(HODO_CMAKE_FOLDER ${CMAKE_INSTALL_LIBDIR}/cmake/Hodoscope)

set(installed hodo_base)
set(header_folders base io detector draw workflow)
if(HODO_LEARN)
  list(APPEND installed hodo_learn)
  list(APPEND header_folders tensor sparse nn flow train)
endif()
foreach(library ${installed})
  string(REPLACE "hodo_" "" name ${library})
  set_target_properties(${library} PROPERTIES EXPORT_NAME ${name} INSTALL_RPATH "$ORIGIN")
endforeach()
set_target_properties(hodo PROPERTIES INSTALL_RPATH "$ORIGIN/../${HODO_PRIVATE_LIBRARIES}")

install(TARGETS hodo RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS ${installed} EXPORT HodoscopeTargets LIBRARY DESTINATION ${HODO_PRIVATE_LIBRARIES})
foreach(folder ${header_folders})
  if(EXISTS ${CMAKE_SOURCE_DIR}/src/hodo/${folder})
    install(DIRECTORY src/hodo/${folder} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/hodo
            FILES_MATCHING PATTERN "*.hh" PATTERN detail EXCLUDE)
  endif()
endforeach()

get_filename_component(duckdb_folder ${DuckDB_LIBRARY} DIRECTORY)
install(PROGRAMS ${DuckDB_LIBRARY} DESTINATION ${HODO_PRIVATE_LIBRARIES})
if(EXISTS ${duckdb_folder}/LICENSE.duckdb)
  install(FILES ${duckdb_folder}/LICENSE.duckdb DESTINATION ${HODO_PRIVATE_LIBRARIES})
endif()
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
if(EXISTS ${CMAKE_SOURCE_DIR}/configs)
  install(DIRECTORY configs DESTINATION ${CMAKE_INSTALL_DATADIR}/hodoscope)
endif()

install(EXPORT HodoscopeTargets NAMESPACE Hodoscope:: DESTINATION ${HODO_CMAKE_FOLDER})
configure_package_config_file(cmake/HodoscopeConfig.cmake.in ${CMAKE_BINARY_DIR}/HodoscopeConfig.cmake
                              INSTALL_DESTINATION ${HODO_CMAKE_FOLDER})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/HodoscopeConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/HodoscopeConfig.cmake
              ${CMAKE_BINARY_DIR}/HodoscopeConfigVersion.cmake
        DESTINATION ${HODO_CMAKE_FOLDER})

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME hodoscope)
set(CPACK_PACKAGE_VENDOR Hodoscope)
set(CPACK_PACKAGE_CONTACT "The Hodoscope authors")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_RESOURCE_FILE_LICENSE ${CMAKE_SOURCE_DIR}/LICENSE)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON) # needs the packages `file` and `dpkg-dev`
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${CMAKE_LIBRARY_OUTPUT_DIRECTORY} ${duckdb_folder})
if(HODO_LEARN)
  set(CPACK_DEBIAN_PACKAGE_DEPENDS "libopenblas0-openmp | libblas.so.3")
endif()
include(CPack)
