# SPDX-License-Identifier: Apache-2.0
# Makes -DCMAKE_PREFIX_PATH=PREFIX work in a cross build. Packages, libraries and headers are looked for below
# CMAKE_FIND_ROOT_PATH only, so that nothing of this machine is found; a prefix outside would be taken as a folder below
# each of these. Being one of them itself, it is searched as it is.
foreach(prefix IN LISTS CMAKE_PREFIX_PATH)
  if(NOT prefix IN_LIST CMAKE_FIND_ROOT_PATH)
    list(APPEND CMAKE_FIND_ROOT_PATH "${prefix}")
  endif()
endforeach()
