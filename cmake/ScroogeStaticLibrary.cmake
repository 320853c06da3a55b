# SPDX-License-Identifier: Apache-2.0
# scrooge_static: the C ABI as one archive. All modules are linked into one relocatable object, in which everything but
# the functions of scrooge.h then becomes local. So a stranger links one file, in any order, and nothing inside can
# clash with his own symbols: a plain archive of the modules' objects would show him every C++ name of theirs. The
# price is that a program always gets the whole of it; one that only reads models wants scrooge::reader.
get_property(modules GLOBAL PROPERTY SCROOGE_MODULES)
set(object "${PROJECT_BINARY_DIR}/lib/scrooge_static${CMAKE_C_OUTPUT_EXTENSION}")
set(archives "")
foreach(module IN LISTS modules)
  list(APPEND archives "$<TARGET_FILE:${module}>")
endforeach()
# The groups of inline functions go: of two equal ones a linker drops one whole, and what it drops here has local names.
# What is unique (a static variable of an inline function) cannot be made local before it is weak.
add_custom_command(
  OUTPUT "${object}"
  COMMAND "${CMAKE_COMMAND}" -E make_directory "${PROJECT_BINARY_DIR}/lib"
  COMMAND "${CMAKE_LINKER}" -r --force-group-allocation -o "${object}" --whole-archive ${archives}
  COMMAND "${CMAKE_NM}" "${object}" | sed -n "s/^[0-9a-f]* u //p" > "${object}.unique"
  COMMAND "${CMAKE_OBJCOPY}" "--weaken-symbols=${object}.unique" "${object}"
  COMMAND "${CMAKE_OBJCOPY}" --wildcard --keep-global-symbol=scrooge_* "${object}"
  DEPENDS ${modules} COMMENT "Linking the modules into one object" VERBATIM)
set_source_files_properties("${object}" PROPERTIES EXTERNAL_OBJECT ON GENERATED ON)

add_library(scrooge_static STATIC "${object}")
# No C++ for those who link it from C: the run-time library is among what it links.
set_target_properties(scrooge_static PROPERTIES
  OUTPUT_NAME scrooge LINKER_LANGUAGE C EXPORT_NAME scrooge_static POSITION_INDEPENDENT_CODE ON)
target_include_directories(scrooge_static INTERFACE
  "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>" "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")

# What the object still wants, by the names the linker knows. Eigen, FlatBuffers and CLI11 are headers only.
set(SCROOGE_STATIC_LIBRARIES pcre2-8 utf8proc hwy simdjson xxhash nettle)
if(TARGET scrooge_dep::onednn)
  list(APPEND SCROOGE_STATIC_LIBRARIES dnnl)
endif()
set(SCROOGE_STATIC_RUNTIME "")
if(TARGET scrooge_dep::onednn)
  list(APPEND SCROOGE_STATIC_RUNTIME gomp)
endif()
foreach(library IN LISTS CMAKE_CXX_IMPLICIT_LINK_LIBRARIES)
  if(library MATCHES "^(stdc\\+\\+|c\\+\\+|c\\+\\+abi|m|atomic)$")
    list(APPEND SCROOGE_STATIC_RUNTIME ${library})
  endif()
endforeach()
list(APPEND SCROOGE_STATIC_RUNTIME ${CMAKE_DL_LIBS})
list(REMOVE_DUPLICATES SCROOGE_STATIC_RUNTIME)

foreach(library IN LISTS SCROOGE_STATIC_LIBRARIES)
  find_library(SCROOGE_LIBRARY_${library} ${library} REQUIRED)
  mark_as_advanced(SCROOGE_LIBRARY_${library})
  target_link_libraries(scrooge_static INTERFACE "$<BUILD_INTERFACE:${SCROOGE_LIBRARY_${library}}>")
endforeach()
target_link_libraries(scrooge_static INTERFACE
  "$<INSTALL_INTERFACE:scrooge::static_dependencies>" ${SCROOGE_STATIC_RUNTIME} Threads::Threads)
add_library(scrooge::scrooge_static ALIAS scrooge_static)
