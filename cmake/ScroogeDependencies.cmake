# Everything comes from the distribution's packages; `./dev` installs them. Each is an imported target under
# scrooge_dep:: so that folders do not care how it was found.
find_package(PkgConfig REQUIRED)

function(scrooge_pkg_dependency alias package)
  pkg_check_modules(${alias} REQUIRED IMPORTED_TARGET ${package})
  add_library(scrooge_dep::${alias} ALIAS PkgConfig::${alias})
endfunction()

scrooge_pkg_dependency(xxhash libxxhash)
scrooge_pkg_dependency(nettle nettle)
scrooge_pkg_dependency(pcre2 libpcre2-8)
scrooge_pkg_dependency(utf8proc libutf8proc)
scrooge_pkg_dependency(hwy libhwy)

find_package(simdjson QUIET)
if(simdjson_FOUND)
  add_library(scrooge_dep::simdjson ALIAS simdjson::simdjson)
else()  # without its package file, as in a folder of static libraries
  find_path(SIMDJSON_INCLUDE_DIR simdjson.h REQUIRED)
  find_library(SIMDJSON_LIBRARY simdjson REQUIRED)
  add_library(scrooge_dep::simdjson UNKNOWN IMPORTED)
  set_target_properties(scrooge_dep::simdjson PROPERTIES
    IMPORTED_LOCATION "${SIMDJSON_LIBRARY}" INTERFACE_INCLUDE_DIRECTORIES "${SIMDJSON_INCLUDE_DIR}")
endif()
find_package(Eigen3 3.4 REQUIRED NO_MODULE)
add_library(scrooge_dep::eigen ALIAS Eigen3::Eigen)

if(SCROOGE_WITH_ONEDNN)
  find_path(ONEDNN_INCLUDE_DIR oneapi/dnnl/dnnl.h)
  find_library(ONEDNN_LIBRARY dnnl)
  if(ONEDNN_INCLUDE_DIR AND ONEDNN_LIBRARY)
    add_library(scrooge_dep::onednn UNKNOWN IMPORTED)
    set_target_properties(scrooge_dep::onednn PROPERTIES
      IMPORTED_LOCATION "${ONEDNN_LIBRARY}" INTERFACE_INCLUDE_DIRECTORIES "${ONEDNN_INCLUDE_DIR}")
  else()
    message(STATUS "oneDNN not found: CPU matrix products by Eigen")
  endif()
endif()

# flatc writes the schema's header into the build tree: generated headers insist on the exact library version.
find_program(FLATC flatc REQUIRED)
find_path(FLATBUFFERS_INCLUDE_DIR flatbuffers/flatbuffers.h REQUIRED)

if(SCROOGE_BUILD_TESTS)
  find_package(GTest REQUIRED)
  include(GoogleTest)
endif()
