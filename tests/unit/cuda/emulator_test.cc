// SPDX-License-Identifier: Apache-2.0
// The emulator runs what is right and names what is wrong.
#include <gtest/gtest.h>

#include <vector>

#include "tests/support/cuda_shim/device.h"

namespace scrooge::test::shim {
namespace {

struct Arguments {
  float* to;
  int count;
};

SCROOGE_KERNEL(reverse_in_blocks, 128, Arguments) {
  auto* const shared = backend::cuda::dynamic_shared<float>();
  shared[threadIdx.x] = static_cast<float>(blockIdx.x * blockDim.x + threadIdx.x);
  __syncthreads();
  args.to[blockIdx.x * blockDim.x + threadIdx.x] = shared[blockDim.x - 1 - threadIdx.x];
}
SCROOGE_KERNEL(sum_of_lanes, 64, Arguments) {
  float value = static_cast<float>(threadIdx.x);
  for (int step = 16; step > 0; step /= 2) value += __shfl_xor_sync(0xffffffffu, value, step);
  const unsigned odd = __ballot_sync(0xffffffffu, threadIdx.x % 2 == 1 ? 1 : 0);
  args.to[threadIdx.x] = odd == 0xaaaaaaaau ? value : -1;
}
SCROOGE_KERNEL(leaves_at_barrier, 64, Arguments) {
  if (threadIdx.x == 7) return;
  __syncthreads();
}
SCROOGE_KERNEL(leaves_at_shuffle, 64, Arguments) {
  if (threadIdx.x < 7) return;
  args.to[0] = __shfl_sync(0xffffffffu, 1.0f, 0);
}
SCROOGE_KERNEL(mixes_warp_functions, 64, Arguments) {
  if (threadIdx.x < 7) {
    __syncwarp();
  } else {
    args.to[0] = __shfl_sync(0xffffffffu, 1.0f, 0);
  }
}
SCROOGE_KERNEL(overruns_shared, 32, Arguments) { backend::cuda::dynamic_shared<float>()[32 + threadIdx.x] = 1; }
// No barrier between a write and a read by another thread.
SCROOGE_KERNEL(races, 128, Arguments) {
  auto* const shared = backend::cuda::dynamic_shared<float>();
  shared[threadIdx.x] = 1;
  args.to[threadIdx.x] = shared[(threadIdx.x + 1) % blockDim.x];
}

std::string run(const KernelEntry& kernel, unsigned blocks, unsigned threads, size_t shared, std::vector<float>& to) {
  const Arguments arguments{to.data(), static_cast<int>(to.size())};
  return run_kernel(kernel, {{blocks, 1, 1}, threads, shared}, &arguments);
}

TEST(Emulator, BarriersAndSharedMemory) {
  std::vector<float> to(3 * 128);
  for (int turn = 0; turn < 8; ++turn) {  // orders change
    ASSERT_EQ(run(reverse_in_blocks_entry, 3, 128, 512, to), "");
    for (size_t i = 0; i < to.size(); ++i) ASSERT_EQ(to[i], static_cast<float>(i / 128 * 128 + 127 - i % 128));
  }
}

TEST(Emulator, WarpFunctions) {
  std::vector<float> to(64);
  ASSERT_EQ(run(sum_of_lanes_entry, 1, 64, 0, to), "");
  EXPECT_EQ(to[5], 496);
  EXPECT_EQ(to[40], 496 + 32 * 32);
}

TEST(Emulator, NamesWhatACardWouldNotForgive) {
  std::vector<float> to(128);
  EXPECT_NE(run(leaves_at_barrier_entry, 1, 64, 0, to).find("thread 7 left while 63 threads wait"), std::string::npos);
  EXPECT_NE(run(leaves_at_shuffle_entry, 1, 64, 0, to).find("did not come to the warp function"), std::string::npos);
  EXPECT_NE(run(mixes_warp_functions_entry, 1, 64, 0, to).find("another warp function"), std::string::npos);
  EXPECT_NE(run(overruns_shared_entry, 1, 32, 128, to).find("behind the dynamic shared memory"), std::string::npos);
  EXPECT_NE(run(races_entry, 1, 33, 512, to), "");   // no whole warps
  EXPECT_NE(run(races_entry, 1, 256, 512, to), "");  // more threads than the kernel is built for
}

TEST(Emulator, OrdersOfThreadsChangeSoThatRacesShow) {
  std::vector<float> first(128), other(128);
  ASSERT_EQ(run(races_entry, 1, 128, 512, first), "");
  bool differs = false;
  for (int turn = 0; turn < 16 && !differs; ++turn) {
    ASSERT_EQ(run(races_entry, 1, 128, 512, other), "");
    differs = !std::equal(first.begin(), first.end(), other.begin(),
                          [](float a, float b) { return a == b || (std::isnan(a) && std::isnan(b)); });
  }
  EXPECT_TRUE(differs);
}

}  // namespace
}  // namespace scrooge::test::shim
