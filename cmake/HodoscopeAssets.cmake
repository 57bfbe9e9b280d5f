# Compiles text files into a library: hodo_assets(<target> <folder> <header> <namespace>) turns every
# file of <folder> into an entry of the function `asset(name)` that <header> declares.
#
# The file is also the script that writes the source at build time (cmake -P).
if(CMAKE_SCRIPT_MODE_FILE)
  set(text "#include \"${HEADER}\"\n\n#include \"hodo/base/error.hh\"\n\nnamespace ${NAMESPACE} {\n\n")
  string(APPEND text "std::string_view asset(std::string_view name) {\n")
  file(GLOB files ${FOLDER}/*)
  foreach(file ${files})
    get_filename_component(name ${file} NAME)
    file(READ ${file} content)
    string(APPEND text "    if (name == \"${name}\") {\n"
                       "        return R\"hodo_asset(${content})hodo_asset\";\n    }\n")
  endforeach()
  string(APPEND text "    throw base::Defect(\"no asset called \" + std::string(name));\n}\n\n")
  string(APPEND text "}  // namespace ${NAMESPACE}\n")
  file(WRITE ${OUTPUT} "${text}")
  return()
endif()

function(hodo_assets target folder header namespace)
  file(GLOB files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/hodo/${folder}/*)
  string(REPLACE "/" "_" name ${folder})
  set(output ${CMAKE_BINARY_DIR}/generated/${name}.cc)
  add_custom_command(OUTPUT ${output}
      COMMAND ${CMAKE_COMMAND} -DFOLDER=${CMAKE_SOURCE_DIR}/src/hodo/${folder} -DHEADER=${header}
              -DNAMESPACE=${namespace} -DOUTPUT=${output}
              -P ${CMAKE_SOURCE_DIR}/cmake/HodoscopeAssets.cmake
      DEPENDS ${files} ${CMAKE_SOURCE_DIR}/cmake/HodoscopeAssets.cmake
      COMMENT "Compiling in ${folder}" VERBATIM)
  target_sources(${target} PRIVATE ${output})
endfunction()
