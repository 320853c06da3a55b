// SPDX-License-Identifier: Apache-2.0
// A CUDA driver for tests, under the host code of backends/cuda: one card, whose kernels run in emulator.h.
//
// Streams are lazy. What is put on one runs when somebody waits for it, or now and then at once, by a seeded coin: so a
// missing wait between two streams shows as wrong results. Any function can be made to fail at its Nth call. Device
// memory is guarded (guarded_memory.h); asynchronous copies insist on pinned host memory; what is made is counted.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "backends/cuda/driver_api.h"

namespace scrooge::test::shim {

// The table; the driver behind it is one per process.
const backend::cuda::DriverApi& fake_driver();

// The `nth` call from now (1 is the next) of the driver's function `symbol`, "cuMemAlloc_v2" say, gives `result`, and
// after a sticky one every call that can fail gives it, until the context is let go.
void fail_call(std::string_view symbol, int nth, backend::cuda::CuResult result);
// The same for the nth kernel that runs, not the call that asks for it.
void fail_kernel(int nth, backend::cuda::CuResult result);
// For products: work that belongs behind what is on the stream already. Context, stream and memory of the other calls.
backend::cuda::CuResult put_work(backend::cuda::CuStream stream, std::function<backend::cuda::CuResult()> work);
// The range is one of the card's memory.
bool covers(uint64_t address, uint64_t bytes);
// Takes back what was asked for.
void fail_nothing();

// Memory of the card; 8 GiB unless said otherwise.
void set_card_memory(uint64_t bytes);
// 86 unless said otherwise: major * 10 + minor.
void set_card_capability(int capability);

// What is there now, of all that the driver gives.
struct Outstanding {
  int contexts = 0;
  size_t allocations = 0;
  uint64_t device_bytes = 0;
  size_t pinned = 0;
  size_t streams = 0;
  size_t events = 0;
  size_t modules = 0;
  friend bool operator==(const Outstanding&, const Outstanding&) = default;
};
Outstanding outstanding();

// Kernels run so far.
uint64_t kernels_run();

}  // namespace scrooge::test::shim
