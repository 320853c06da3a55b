# Settings every target shares, and the two functions that declare a module and its unit tests.
include(GNUInstallDirs)

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 99)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/lib")
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/lib")
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

find_package(Threads REQUIRED)

add_library(scrooge_options INTERFACE)
target_include_directories(scrooge_options INTERFACE "${PROJECT_SOURCE_DIR}")
# No contraction: the decisions of the search must not depend on whether a compiler fuses a multiply with an add.
target_compile_options(scrooge_options INTERFACE
  -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Wimplicit-fallthrough -Werror -ffp-contract=off -fno-math-errno)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(scrooge_options INTERFACE -Wno-restrict)  # false alarms on std::string, GCC bug 105651
endif()
if(CMAKE_SIZEOF_VOID_P EQUAL 4)  # files above 2 GiB; and GCC's remarks on what changed between its versions
  target_compile_definitions(scrooge_options INTERFACE _FILE_OFFSET_BITS=64)
  target_compile_options(scrooge_options INTERFACE -Wno-psabi)
endif()
target_link_libraries(scrooge_options INTERFACE Threads::Threads)
if(SCROOGE_SANITIZE)
  # Undefined behaviour ends the program, so that a test cannot pass over it.
  target_compile_options(scrooge_options INTERFACE
    -fsanitize=${SCROOGE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(scrooge_options INTERFACE -fsanitize=${SCROOGE_SANITIZE})
  # After those of scrooge_options: the tests' own code, which is most of what runs, is only checked for addresses and
  # threads, in half the time.
  set(unchecked undefined)
  if(SCROOGE_SANITIZE MATCHES "fuzzer")
    list(APPEND unchecked fuzzer-no-link)
  endif()
  list(JOIN unchecked "," unchecked)
  add_library(scrooge_test_options INTERFACE)
  target_compile_options(scrooge_test_options INTERFACE -fno-sanitize=${unchecked})
  target_compile_definitions(scrooge_test_options INTERFACE SCROOGE_SANITIZED=1)
endif()

# scrooge_module(NAME [LINKS target...] [PRIVATE target...]): all .cc files of this folder as scrooge_NAME. The module is
# also recorded, so that the shared and the static library are put together from the same list.
function(scrooge_module name)
  cmake_parse_arguments(arg "" "" "LINKS;PRIVATE" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cc")
  if(NOT sources)
    add_library(scrooge_${name} INTERFACE)
    target_link_libraries(scrooge_${name} INTERFACE scrooge_options ${arg_LINKS})
    return()
  endif()
  add_library(scrooge_${name} STATIC ${sources})
  target_link_libraries(scrooge_${name} PUBLIC scrooge_options ${arg_LINKS} PRIVATE ${arg_PRIVATE})
  set_property(GLOBAL APPEND PROPERTY SCROOGE_MODULES scrooge_${name})
endfunction()

# scrooge_test(NAME SOURCES file... LINKS target... [LABELS label...] [FILTER filter]): one GoogleTest program, every test
# (that passes the filter) its own CTest entry named NAME.Suite.Case.
function(scrooge_test name)
  cmake_parse_arguments(arg "" "FILTER" "SOURCES;LINKS;LABELS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE scrooge_options ${arg_LINKS} GTest::gtest GTest::gtest_main)
  target_compile_definitions(${name} PRIVATE SCROOGE_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  target_compile_options(${name} PRIVATE $<$<CONFIG:Release>:-O1>)  # a third less to build; it is the library that counts
  if(SCROOGE_SANITIZE)
    target_link_libraries(${name} PRIVATE scrooge_test_options)
  endif()
  # One precompiled header for all test programs. What every test includes; more only under sanitizers, where a file that
  # forgot an include need not show.
  set(headers <gtest/gtest.h>)
  if(SCROOGE_SANITIZE)
    list(APPEND headers <algorithm> <functional> <random> <string> <vector>)
  endif()
  get_property(first GLOBAL PROPERTY SCROOGE_FIRST_TEST)
  if(first)
    target_precompile_headers(${name} REUSE_FROM ${first})
  else()
    target_precompile_headers(${name} PRIVATE ${headers})
    set_property(GLOBAL PROPERTY SCROOGE_FIRST_TEST ${name})
  endif()
  set(labels "${name}" ${arg_LABELS})
  set(filter "")
  if(arg_FILTER)
    set(filter TEST_FILTER "${arg_FILTER}")
  endif()
  gtest_discover_tests(${name} TEST_PREFIX "${name}." ${filter} DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 600 LABELS "${labels}")
endfunction()
