# SPDX-License-Identifier: Apache-2.0
# 64-bit ARM Linux, ARMv8-A and later.
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(triple aarch64-linux-gnu)
set(target aarch64)
set(qemu qemu-aarch64)
include("${CMAKE_CURRENT_LIST_DIR}/debian_cross.cmake")
