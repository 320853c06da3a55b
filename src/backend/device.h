// SPDX-License-Identifier: Apache-2.0
// The contract every backend implements: memory, transfers and the ops of ops.h.
//
// Order: everything put on a device runs in the order of the calls, as if on one queue. Calls may return before the
// work is done, except download() and synchronize(). Results of an op depend on its inputs and shapes only, never on
// the number of threads or on timing. Threads: one thread at a time per device.
//
// Errors:
//  - kBudgetExceeded or kOutOfMemory from allocate; kOutOfMemory also from an op or a transfer, where the device
//    refuses what the budget allowed;
//  - kUnsupported, naming the reason, for a shape or type that the backend does not handle;
//  - kUnavailable when the device is lost, then from every call: what is left is to drop its buffers and it, and to
//    make a new one;
//  - kCancelled, between the pieces of an op or a transfer, when the job is to stop: whatever the op writes is
//    unspecified then.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "src/backend/op_params.h"
#include "src/base/cancel.h"
#include "src/base/memory_budget.h"
#include "src/base/result.h"
#include "src/tensor/dtype.h"

namespace scrooge::backend {

struct DeviceInfo {
  std::string backend;       // "cpu", "reference", ...
  std::string name;          // what a person would call it: processor or card
  std::string features;      // comma-separated, what the ops use: "avx512,amx-bf16"
  uint64_t total_bytes = 0;  // 0 when unknown
  uint64_t free_bytes = 0;
  bool host_memory = false;  // buffers are ordinary host memory, Buffer::host_data() is usable
  std::string driver;        // its name and version; empty for the host
  bool software = false;     // a driver that computes on the processor: never chosen by itself
  bool integrated = false;   // shares the host's memory
  // A row of what gemm and attention_causal give depends on no other row, nor on how many there are: the same bits
  // where a call is made in parts.
  bool independent_rows = false;
  std::string unfit;  // why create() would refuse this device; empty when it would not
};

// Device memory; given back on destruction. The device must outlive it.
class Buffer {
 public:
  virtual ~Buffer() = default;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  uint64_t size() const { return size_; }
  // Null unless DeviceInfo::host_memory.
  std::byte* host_data() const { return host_data_; }

 protected:
  Buffer(uint64_t size, std::byte* host_data) : size_(size), host_data_(host_data) {}

 private:
  uint64_t size_;
  std::byte* host_data_;
};

class Device : public Ops {
 public:
  ~Device() override = default;

  virtual DeviceInfo describe() const = 0;
  // Zero-filled, aligned to 256 bytes or better, counted against the budget the device was made with.
  virtual Result<std::unique_ptr<Buffer>> allocate(uint64_t bytes, std::string_view purpose) = 0;
  // REQUIRES for both: offset + size inside the buffer. The host range may be reused once upload returns.
  virtual Status upload(Buffer& to, uint64_t offset, std::span<const std::byte> from) = 0;
  virtual Status download(const Buffer& from, uint64_t offset, std::span<std::byte> to) = 0;
  // Ranges of one buffer must not overlap.
  virtual Status copy(const Buffer& from, uint64_t from_offset, Buffer& to, uint64_t to_offset, uint64_t bytes) = 0;
  virtual Status fill_zero(Buffer& buffer, uint64_t offset, uint64_t bytes) = 0;
  // Waits until everything asked for so far is done, and reports what went wrong meanwhile.
  virtual Status synchronize() = 0;
};

struct DeviceOptions {
  int threads = 1;                 // workers of a host backend, the calling thread included
  MemoryBudget* budget = nullptr;  // what buffers and scratch are counted against; must outlive the device
  CancelToken* cancel = nullptr;  // asked while ops run, by the calling thread and the workers; must outlive the device
  // What a device with memory of its own takes of the host's, staging of transfers and scratch, is counted against;
  // must outlive the device. Null: `budget`, as for devices whose memory is the host's.
  MemoryBudget* host_budget = nullptr;
  // An existing folder in which a backend may keep compiled kernels for other processes; empty: none are kept.
  std::string cache_folder = {};
};

}  // namespace scrooge::backend
