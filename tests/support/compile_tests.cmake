# SPDX-License-Identifier: Apache-2.0
# scrooge_compile_tests(PREFIX STANDARDS c99 c++20... FLAGS flag... FILES file...): every compiler at hand takes the
# files without a warning, one CTest entry PREFIX.COMPILER.STANDARD each. gcc and clang; one that is not there is a test
# skipped, not a test less. A cross build asks the compiler of the target.
if(CMAKE_CROSSCOMPILING)
  set(SCROOGE_TEST_COMPILERS target)
  set(SCROOGE_TEST_target "${CMAKE_C_COMPILER}")
else()
  set(SCROOGE_TEST_COMPILERS gcc clang)
  foreach(compiler IN LISTS SCROOGE_TEST_COMPILERS)
    find_program(SCROOGE_TEST_${compiler} ${compiler})
    mark_as_advanced(SCROOGE_TEST_${compiler})
  endforeach()
endif()

# scrooge_c_program(NAME SOURCE [LINKS target...] [INCLUDES folder...]): a program in C, or C++, as users would compile it.
function(scrooge_c_program name source)
  cmake_parse_arguments(arg "" "" "LINKS;INCLUDES" ${ARGN})
  add_executable(${name} "${source}")
  target_include_directories(${name} PRIVATE ${arg_INCLUDES})
  target_link_libraries(${name} PRIVATE ${arg_LINKS})
  target_compile_options(${name} PRIVATE -Wall -Wextra -Wshadow -pedantic -Werror)
  if(SCROOGE_SANITIZE)
    target_compile_options(${name} PRIVATE -fsanitize=${SCROOGE_SANITIZE})
    target_link_options(${name} PRIVATE -fsanitize=${SCROOGE_SANITIZE})
    set_target_properties(${name} PROPERTIES LINKER_LANGUAGE CXX)  # clang has a sanitizer run-time for each language
  endif()
endfunction()

function(scrooge_compile_tests prefix)
  cmake_parse_arguments(arg "" "" "STANDARDS;FLAGS;FILES" ${ARGN})
  foreach(compiler IN LISTS SCROOGE_TEST_COMPILERS)
    foreach(standard IN LISTS arg_STANDARDS)
      set(language c)
      if(standard MATCHES "\\+")
        set(language c++)
      endif()
      set(command "${SCROOGE_TEST_${compiler}}" -x ${language} -std=${standard} -Wall -Wextra -Wshadow -pedantic -Werror
        -fsyntax-only ${arg_FLAGS} ${arg_FILES})
      if(NOT SCROOGE_TEST_${compiler})
        set(command bash -c "echo '${compiler} not found: skipped' && exit 77")
      endif()
      add_test(NAME ${prefix}.${compiler}.${standard} COMMAND ${command})
      set_tests_properties(${prefix}.${compiler}.${standard} PROPERTIES SKIP_RETURN_CODE 77)
    endforeach()
  endforeach()
endfunction()
