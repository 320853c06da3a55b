// SPDX-License-Identifier: Apache-2.0
#include "tests/support/cuda_shim/emulator.h"

#include <sys/mman.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <numeric>
#include <string_view>
#include <vector>

#include "src/base/text.h"
#include "tests/support/cuda_shim/fiber.h"
#include "tests/support/seeded_values.h"

// The linker's names for the two ends of the section that SCROOGE_KERNEL fills.
extern "C" const scrooge::test::shim::KernelEntry* const __start_scrooge_kernels[];
extern "C" const scrooge::test::shim::KernelEntry* const __stop_scrooge_kernels[];

namespace scrooge::test::shim {

Index3 threadIdx, blockIdx, blockDim, gridDim;

namespace {

constexpr unsigned kLanes = 32;
constexpr unsigned kMostThreads = 1024;
constexpr size_t kStack = 256 << 10;
constexpr size_t kMostShared = 256 << 10;
constexpr size_t kFence = 256;  // behind dynamic shared memory

enum class Place : uint8_t { kReady, kAtWarp, kAtBlock, kDone };

struct Thread {
  Fiber fiber;
  Place place = Place::kReady;
  char kind = 0;          // of the warp function where it waits
  unsigned meetings = 0;  // of its warp, so far
};

struct Machine {
  Machine() {
    void* const memory = mmap(nullptr, kStack * kMostThreads, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    stacks = memory == MAP_FAILED ? nullptr : static_cast<std::byte*>(memory);
    shared.resize(kMostShared + kFence);
  }

  std::byte* stacks = nullptr;
  std::vector<std::byte> shared;
  std::array<Thread, kMostThreads> threads;
  // Two meetings deep: who comes late to read one meeting may find others already at the next, but not beyond.
  std::array<std::array<uint64_t, kMostThreads>, 2> values{};
  Fiber scheduler;
  const KernelEntry* kernel = nullptr;
  const void* arguments = nullptr;
  std::string failure;
  SeededValues orders{20};
};

// Made at the first launch; never freed, so that fibers cut short keep their stacks.
Machine& machine() {
  static Machine* const made = new Machine;
  return *made;
}

void thread_main() {
  Machine& m = machine();
  m.kernel->run(m.arguments);
  Thread& self = m.threads[threadIdx.x];
  self.place = Place::kDone;
  switch_fiber(self.fiber, m.scheduler);
}

void leave(Place place) {
  Machine& m = machine();
  const Index3 index = threadIdx;
  Thread& self = m.threads[index.x];
  self.place = place;
  switch_fiber(self.fiber, m.scheduler);
  threadIdx = index;
}

std::string where(unsigned thread) {
  return concat("kernel ", machine().kernel->name, ", block (", blockIdx.x, ", ", blockIdx.y, ", ", blockIdx.z,
                "), thread ", thread);
}

// Runs the lanes of one warp until all are done or at the block's barrier. False with machine().failure set.
bool run_warp(unsigned first, bool backwards) {
  Machine& m = machine();
  while (true) {
    for (unsigned i = 0; i < kLanes; ++i) {
      const unsigned index = first + (backwards ? kLanes - 1 - i : i);
      Thread& thread = m.threads[index];
      if (thread.place != Place::kReady) continue;
      threadIdx = {index, 0, 0};
      switch_fiber(m.scheduler, thread.fiber);
    }
    unsigned waiting = 0;
    for (unsigned i = 0; i < kLanes; ++i) waiting += m.threads[first + i].place == Place::kAtWarp ? 1 : 0;
    if (waiting == 0) return true;
    for (unsigned i = 0; i < kLanes; ++i) {
      Thread& thread = m.threads[first + i];
      if (thread.place != Place::kAtWarp) {
        m.failure = concat(where(first + i), " did not come to the warp function where ", waiting, " lanes wait");
        return false;
      }
      if (thread.kind != m.threads[first].kind) {
        m.failure = concat(where(first + i), " came to another warp function than its neighbours");
        return false;
      }
    }
    for (unsigned i = 0; i < kLanes; ++i) m.threads[first + i].place = Place::kReady;
  }
}

bool run_block(const Grid& grid, bool backwards) {
  Machine& m = machine();
  std::memset(m.shared.data(), 0xff, grid.shared_bytes);  // NaN, so that what nobody wrote is seen
  std::memset(m.shared.data() + grid.shared_bytes, 0xa5, kFence);
  for (unsigned i = 0; i < grid.threads; ++i) {
    m.threads[i] = {};
    start_fiber(m.threads[i].fiber, m.stacks + i * kStack, kStack, thread_main);
  }
  const unsigned warps = grid.threads / kLanes;
  while (true) {
    unsigned done = 0;
    for (unsigned w = 0; w < warps; ++w) {
      if (!run_warp((backwards ? warps - 1 - w : w) * kLanes, backwards)) return false;
    }
    for (unsigned i = 0; i < grid.threads; ++i) done += m.threads[i].place == Place::kDone ? 1 : 0;
    if (done == grid.threads) break;
    for (unsigned i = 0; i < grid.threads; ++i) {
      if (m.threads[i].place == Place::kDone) {
        m.failure = concat(where(i), " left while ", grid.threads - done, " threads wait at __syncthreads");
        return false;
      }
      m.threads[i].place = Place::kReady;
    }
  }
  static const std::vector<std::byte> intact(kFence, std::byte{0xa5});
  if (std::memcmp(m.shared.data() + grid.shared_bytes, intact.data(), kFence) == 0) return true;
  m.failure = concat(where(0), ": bytes behind the dynamic shared memory of ", grid.shared_bytes, " were written");
  return false;
}

}  // namespace

const KernelEntry* find_kernel(const char* op, const char* name) {
  const std::string file = concat("/", op, ".cu");
  for (const KernelEntry* const* at = __start_scrooge_kernels; at != __stop_scrooge_kernels; ++at) {
    if (std::strcmp((*at)->name, name) == 0 && std::string_view((*at)->file).ends_with(file)) return *at;
  }
  return nullptr;
}

std::string run_kernel(const KernelEntry& kernel, const Grid& grid, const void* arguments) {
  Machine& m = machine();
  if (m.stacks == nullptr) return "no memory for the stacks of the threads";
  if (grid.threads == 0 || grid.threads % kLanes != 0 || grid.threads > kernel.most_threads ||
      grid.threads > kMostThreads || grid.shared_bytes > kMostShared) {
    return concat("kernel ", kernel.name, ": a launch of ", grid.threads, " threads a block, ", grid.shared_bytes,
                  " bytes shared");
  }
  m.kernel = &kernel;
  m.arguments = arguments;
  m.failure.clear();
  gridDim = grid.blocks;
  blockDim = {grid.threads, 1, 1};
  const bool backwards = m.orders.below(2) == 1;
  const bool threads_backwards = m.orders.below(2) == 1;
  const uint64_t count = static_cast<uint64_t>(grid.blocks.x) * grid.blocks.y * grid.blocks.z;
  for (uint64_t i = 0; i < count && m.failure.empty(); ++i) {
    const uint64_t block = backwards ? count - 1 - i : i;
    blockIdx.x = static_cast<unsigned>(block % grid.blocks.x);
    blockIdx.y = static_cast<unsigned>(block / grid.blocks.x % grid.blocks.y);
    blockIdx.z = static_cast<unsigned>(block / grid.blocks.x / grid.blocks.y);
    run_block(grid, threads_backwards);
  }
  m.kernel = nullptr;
  return m.failure;
}

const char* running_kernel() {
  static char text[256];
  const KernelEntry* const kernel = machine().kernel;
  if (kernel == nullptr) return "";
  std::snprintf(text, sizeof text, "kernel %s, block (%u, %u, %u), thread %u", kernel->name, blockIdx.x, blockIdx.y,
                blockIdx.z, threadIdx.x);
  return text;
}

void meet_block() { leave(Place::kAtBlock); }

uint64_t meet_warp(char kind, uint64_t value, int source) {
  Machine& m = machine();
  const unsigned index = threadIdx.x;
  const unsigned first = index / kLanes * kLanes;
  Thread& self = m.threads[index];
  self.kind = kind;
  auto& values = m.values[self.meetings++ % 2];
  values[index] = value;
  leave(Place::kAtWarp);
  if (kind == 'x') return values[first + static_cast<unsigned>(source) % kLanes];
  uint64_t bits = 0;
  if (kind == 'b') {
    for (unsigned i = 0; i < kLanes; ++i) bits |= (values[first + i] & 1) << i;
  }
  return bits;
}

std::byte* dynamic_shared_memory() { return machine().shared.data(); }

}  // namespace scrooge::test::shim
