# SPDX-License-Identifier: Apache-2.0
# 64-bit ARM Android by the NDK's own toolchain file, at the place that its documentation gives. Written from that
# documentation and never run by us, for want of an NDK. The environment variable ANDROID_NDK_ROOT names the NDK; the
# libraries of ScroogeDependencies.cmake, built with it as static ones, lie below SCROOGE_SYSROOT.
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES SCROOGE_SYSROOT)
# Devices with pages of 16 KiB, which Android 15 brought, load no file that is laid out for 4. The variable is for NDK 27
# on; for older ones the preset has the linker's option, which the NDK's file would not take from here.
foreach(pair ANDROID_ABI:arm64-v8a ANDROID_PLATFORM:android-26 ANDROID_STL:c++_static
    ANDROID_SUPPORT_FLEXIBLE_PAGE_SIZES:ON)
  string(REPLACE ":" ";" pair "${pair}")
  list(GET pair 0 name)
  list(GET pair 1 value)
  if(NOT DEFINED ${name})
    set(${name} ${value})
  endif()
endforeach()
if(NOT CMAKE_ANDROID_NDK)
  set(CMAKE_ANDROID_NDK "$ENV{ANDROID_NDK_ROOT}")
endif()
set(ndk_toolchain "${CMAKE_ANDROID_NDK}/build/cmake/android.toolchain.cmake")
if(NOT EXISTS "${ndk_toolchain}")
  message(FATAL_ERROR "No Android NDK: ${ndk_toolchain} does not exist; set ANDROID_NDK_ROOT to the folder of the NDK")
endif()
if(SCROOGE_SYSROOT)
  list(APPEND CMAKE_FIND_ROOT_PATH "${SCROOGE_SYSROOT}")
  set(ENV{PKG_CONFIG_LIBDIR} "${SCROOGE_SYSROOT}/usr/lib/pkgconfig")
  set(ENV{PKG_CONFIG_SYSROOT_DIR} "${SCROOGE_SYSROOT}")
endif()
include("${CMAKE_CURRENT_LIST_DIR}/prefix_roots.cmake")
include("${ndk_toolchain}")
