# SPDX-License-Identifier: Apache-2.0
# 32-bit ARM Linux with a floating-point unit: ARMv7-A, VFPv3-D16, as Debian's armhf.
set(CMAKE_SYSTEM_PROCESSOR arm)
set(triple arm-linux-gnueabihf)
set(target armhf)
set(qemu qemu-arm)
include("${CMAKE_CURRENT_LIST_DIR}/debian_cross.cmake")
