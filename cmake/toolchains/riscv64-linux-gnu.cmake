# SPDX-License-Identifier: Apache-2.0
# 64-bit RISC-V Linux, RV64GC.
set(CMAKE_SYSTEM_PROCESSOR riscv64)
set(triple riscv64-linux-gnu)
set(target riscv64)
set(qemu qemu-riscv64)
include("${CMAKE_CURRENT_LIST_DIR}/debian_cross.cmake")
