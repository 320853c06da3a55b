# SPDX-License-Identifier: Apache-2.0
# What the toolchain files of this folder share: Debian's cross compilers, and target libraries from the folder that
# sysroot.sh fills. An SDK sets CMAKE_C_COMPILER, CMAKE_CXX_COMPILER, CMAKE_FIND_ROOT_PATH or SCROOGE_SYSROOT before, or
# on the command line, and keeps the rest. No -march: what a processor has beyond the base is the SDK's to say, by
# CMAKE_C_FLAGS and CMAKE_CXX_FLAGS.
# REQUIRES: triple, target, qemu, CMAKE_SYSTEM_PROCESSOR.
include_guard()
set(CMAKE_SYSTEM_NAME Linux)
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES SCROOGE_SYSROOT CMAKE_FIND_ROOT_PATH)

foreach(pair C:gcc CXX:g++)
  string(REPLACE ":" ";" pair "${pair}")
  list(GET pair 0 language)
  list(GET pair 1 command)
  if(NOT CMAKE_${language}_COMPILER)
    set(CMAKE_${language}_COMPILER ${triple}-${command})
  endif()
endforeach()

if(NOT SCROOGE_SYSROOT)
  cmake_path(SET SCROOGE_SYSROOT NORMALIZE "${CMAKE_CURRENT_LIST_DIR}/../../.cache/sysroot/${target}")
endif()
if(NOT CMAKE_FIND_ROOT_PATH)
  set(CMAKE_FIND_ROOT_PATH "${SCROOGE_SYSROOT}" /usr/${triple})
endif()
include("${CMAKE_CURRENT_LIST_DIR}/prefix_roots.cmake")
foreach(mode PROGRAM:NEVER LIBRARY:ONLY INCLUDE:ONLY PACKAGE:ONLY)
  string(REPLACE ":" ";" mode "${mode}")
  list(GET mode 0 kind)
  list(GET mode 1 value)
  if(NOT CMAKE_FIND_ROOT_PATH_MODE_${kind})
    set(CMAKE_FIND_ROOT_PATH_MODE_${kind} ${value})
  endif()
endforeach()

# pkg-config must describe the target's libraries, not this system's.
if(NOT DEFINED ENV{PKG_CONFIG_LIBDIR})
  set(ENV{PKG_CONFIG_LIBDIR} "${SCROOGE_SYSROOT}/usr/lib/${triple}/pkgconfig:${SCROOGE_SYSROOT}/usr/share/pkgconfig")
  set(ENV{PKG_CONFIG_SYSROOT_DIR} "${SCROOGE_SYSROOT}")
endif()

# Without a board tests run under emulation.
if(NOT DEFINED CMAKE_CROSSCOMPILING_EMULATOR)
  set(CMAKE_CROSSCOMPILING_EMULATOR ${qemu} -L /usr/${triple})
endif()
# Boards have other versions of it, or none.
foreach(kind EXE SHARED MODULE)
  if(NOT CMAKE_${kind}_LINKER_FLAGS_INIT)
    set(CMAKE_${kind}_LINKER_FLAGS_INIT "-static-libstdc++ -static-libgcc")
  endif()
endforeach()
