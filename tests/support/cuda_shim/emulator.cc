// SPDX-License-Identifier: Apache-2.0
#include "tests/support/cuda_shim/emulator.h"

#include <sys/mman.h>

#include <array>
#include <cstdio>
#include <cstring>
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
  Fiber fiber;  // where it waits, once it has started
  Place place = Place::kReady;
  bool started = false;
  char kind = 0;          // of the warp function where it waits
  unsigned meetings = 0;  // of its warp, so far
};

// One per process, made at the first launch.
struct Machine {
  Machine() {
    void* const memory = mmap(nullptr, kStack * kMostThreads, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    stacks = memory == MAP_FAILED ? nullptr : static_cast<std::byte*>(memory);
    shared.resize(kMostShared + kFence);
    free_all_stacks();
  }
  void free_all_stacks() {
    for (unsigned i = 0; i < kMostThreads; ++i) free_stacks[i] = kMostThreads - 1 - i;
    free_count = kMostThreads;
  }

  std::byte* stacks = nullptr;
  std::array<unsigned, kMostThreads> free_stacks{};  // the last one is taken first
  unsigned free_count = 0;
  std::vector<std::byte> shared;
  std::array<Thread, kMostThreads> threads;
  // Two meetings deep: who comes late to read one meeting may find others already at the next, but not beyond.
  std::array<std::array<uint64_t, kMostThreads>, 2> values{};
  std::array<std::array<unsigned, kMostThreads / kLanes>, 2> ballots{};
  Fiber scheduler;
  Fiber ended;  // where nothing comes back to
  const KernelEntry* kernel = nullptr;
  const void* arguments = nullptr;
  std::string failure;
  SeededValues orders{20};
  // The block at hand.
  bool backwards = false;     // warps, and the lanes of each
  unsigned count = 0;         // threads
  unsigned warp_turn = 0;     // how many warps have had their turn since the last barrier
  unsigned lane_turn = 0;     // how many lanes of this one, since its last meeting
  unsigned at_warp = 0;       // lanes of it that wait for the others
  unsigned done = 0;          // threads
  unsigned stack_to_use = 0;  // of the thread that starts
};

// Never freed, so that fibers cut short keep their stacks.
Machine& machine() {
  static Machine* const made = new Machine;
  return *made;
}

std::string where(unsigned thread) {
  return concat("kernel ", machine().kernel->name, ", block (", blockIdx.x, ", ", blockIdx.y, ", ", blockIdx.z,
                "), thread ", thread);
}

// All lanes of the warp wait, or some are at the block's barrier or done. False with m.failure set.
bool end_meeting(Machine& m, unsigned first) {
  const Thread& leader = m.threads[first];
  unsigned bits = 0;
  for (unsigned i = 0; i < kLanes; ++i) {
    const Thread& thread = m.threads[first + i];
    if (thread.place != Place::kAtWarp) {
      m.failure = concat(where(first + i), " did not come to the warp function where ", m.at_warp, " lanes wait");
      return false;
    }
    if (thread.kind != leader.kind) {
      m.failure = concat(where(first + i), " came to another warp function than its neighbours");
      return false;
    }
  }
  const size_t meeting = (leader.meetings - 1) % 2;
  for (unsigned i = 0; i < kLanes; ++i) {
    bits |= static_cast<unsigned>(m.values[meeting][first + i] & 1) << i;
    m.threads[first + i].place = Place::kReady;
  }
  m.ballots[meeting][first / kLanes] = bits;
  m.at_warp = 0;
  return true;
}

// All threads are at the block's barrier or done. False when all are done, or with m.failure set.
bool end_barrier(Machine& m) {
  if (m.done == m.count) return false;
  for (unsigned i = 0; i < m.count; ++i) {
    if (m.threads[i].place == Place::kDone) {
      m.failure = concat(where(i), " left while ", m.count - m.done, " threads wait at __syncthreads");
      return false;
    }
    m.threads[i].place = Place::kReady;
  }
  return true;
}

// The thread that goes on when one stops, which becomes threadIdx: lane after lane of a warp until all are done or at
// the block's barrier, warp after warp. Null at the end of the block, or with m.failure set.
Thread* choose_next(Machine& m) {
  const unsigned warps = m.count / kLanes;
  while (true) {
    const unsigned first = (m.backwards ? warps - 1 - m.warp_turn : m.warp_turn) * kLanes;
    while (m.lane_turn < kLanes) {
      const unsigned index = first + (m.backwards ? kLanes - 1 - m.lane_turn : m.lane_turn);
      ++m.lane_turn;
      if (m.threads[index].place != Place::kReady) continue;
      threadIdx = {index, 0, 0};
      prefetch_fiber(m.threads[(m.backwards ? index + kMostThreads - 1 : index + 1) % kMostThreads].fiber);
      return &m.threads[index];
    }
    m.lane_turn = 0;
    if (m.at_warp > 0) {
      if (!end_meeting(m, first)) return nullptr;
      continue;
    }
    if (++m.warp_turn < warps) continue;
    m.warp_turn = 0;
    if (!end_barrier(m)) return nullptr;
  }
}

// A stack serves thread after thread until one of them has to wait: so a kernel without meetings needs only one.
void stack_main() {
  Machine& m = machine();
  const unsigned stack = m.stack_to_use;
  while (true) {
    m.kernel->run(m.arguments);
    m.threads[threadIdx.x].place = Place::kDone;
    ++m.done;
    Thread* const next = choose_next(m);
    if (next != nullptr && !next->started) {
      next->started = true;
      continue;
    }
    m.free_stacks[m.free_count++] = stack;
    switch_fiber(m.ended, next != nullptr ? next->fiber : m.scheduler);
  }
}

// From a thread, or the scheduler, straight to the next thread.
void go(Machine& m, Fiber& from, Thread* next) {
  if (next == nullptr) return switch_fiber(from, m.scheduler);
  if (!next->started) {
    next->started = true;
    m.stack_to_use = m.free_stacks[--m.free_count];
    // Tops at different places of a page, and of the cache.
    const size_t bytes = kStack - m.stack_to_use % 64 * 1024;
    start_fiber(next->fiber, m.stacks + m.stack_to_use * kStack, bytes, stack_main);
  }
  switch_fiber(from, next->fiber);
}

void leave(Place place) {
  Machine& m = machine();
  Thread& self = m.threads[threadIdx.x];
  self.place = place;
  Thread* const next = choose_next(m);
  if (next != &self) go(m, self.fiber, next);
}

bool run_block(const Grid& grid) {
  Machine& m = machine();
  std::memset(m.shared.data(), 0xff, grid.shared_bytes);  // NaN, so that what nobody wrote is seen
  std::memset(m.shared.data() + grid.shared_bytes, 0xa5, kFence);
  for (unsigned i = 0; i < grid.threads; ++i) {
    Thread& thread = m.threads[i];
    thread.place = Place::kReady;
    thread.started = false;
    thread.meetings = 0;
  }
  m.count = grid.threads;
  m.warp_turn = m.lane_turn = m.at_warp = m.done = 0;
  go(m, m.scheduler, choose_next(m));
  if (!m.failure.empty()) {
    m.free_all_stacks();
    return false;
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
  m.backwards = m.orders.below(2) == 1;
  const uint64_t count = static_cast<uint64_t>(grid.blocks.x) * grid.blocks.y * grid.blocks.z;
  for (uint64_t i = 0; i < count && m.failure.empty(); ++i) {
    const uint64_t block = backwards ? count - 1 - i : i;
    blockIdx.x = static_cast<unsigned>(block % grid.blocks.x);
    blockIdx.y = static_cast<unsigned>(block / grid.blocks.x % grid.blocks.y);
    blockIdx.z = static_cast<unsigned>(block / grid.blocks.x / grid.blocks.y);
    run_block(grid);
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
  Thread& self = m.threads[index];
  self.kind = kind;
  const size_t meeting = self.meetings++ % 2;
  m.values[meeting][index] = value;
  ++m.at_warp;
  leave(Place::kAtWarp);
  if (kind == 'x') return m.values[meeting][index / kLanes * kLanes + static_cast<unsigned>(source) % kLanes];
  return kind == 'b' ? m.ballots[meeting][index / kLanes] : 0;
}

std::byte* dynamic_shared_memory() { return machine().shared.data(); }

}  // namespace scrooge::test::shim
