// SPDX-License-Identifier: Apache-2.0
// Runs kernels on the processor: blocks one after another, the threads of a block as fibers that change places at
// barriers and warp functions. Orders of threads and blocks change from launch to launch, so that a missing barrier
// shows as different results. What a card would not forgive ends the launch with a message: a barrier or a warp
// function that some threads never reach, two different ones met at once, writes beyond dynamic shared memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace scrooge::test::shim {

struct Index3 {
  unsigned x = 0, y = 0, z = 0;
};
extern Index3 threadIdx, blockIdx, blockDim, gridDim;

// What SCROOGE_KERNEL leaves for each kernel.
struct KernelEntry {
  const char* file;
  const char* name;
  unsigned most_threads;
  size_t argument_bytes;
  void (*run)(const void* arguments);
};
// The kernel of `op` with this name, or null.
const KernelEntry* find_kernel(const char* op, const char* name);

struct Grid {
  Index3 blocks;
  unsigned threads = 0;
  size_t shared_bytes = 0;
};
// Empty, or what went wrong. One launch at a time.
std::string run_kernel(const KernelEntry& kernel, const Grid& grid, const void* arguments);
// "kernel NAME, block (x, y, z), thread t" while one runs, else empty.
const char* running_kernel();

// For device.h: the calling thread's places to meet.
void meet_block();
// Kind 'x': the value of lane `source`; 'b': a bit per lane; 's': nothing. All lanes of the warp meet.
uint64_t meet_warp(char kind, uint64_t value, int source);
std::byte* dynamic_shared_memory();

}  // namespace scrooge::test::shim
