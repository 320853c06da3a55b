// SPDX-License-Identifier: Apache-2.0
// What the body of an op has at hand: launches, scratch, small tables for a kernel, numbers for the host.
#pragma once

#include <span>
#include <type_traits>

#include "backends/cuda/cuda_device.h"

namespace scrooge::backend::cuda {

struct LaunchShape {
  unsigned threads = 256;  // a multiple of 32, as the kernel's SCROOGE_KERNEL says
  int64_t x = 1, y = 1, z = 1;
  int64_t shared_bytes = 0;
};

class Work {
 public:
  explicit Work(CudaDevice& device) : device_(device) {}

  // Arguments are one plain struct, the kernel's only parameter. An empty grid is no work.
  template <typename Arguments>
  Status launch(const Kernel& kernel, const LaunchShape& shape, const Arguments& arguments) {
    static_assert(std::is_trivially_copyable_v<Arguments> && sizeof(Arguments) <= 4096);
    return launch_bytes(kernel, shape, &arguments);
  }

  // Device memory of this op, kept for the next one. Its contents are unspecified; a second call gives the same place,
  // so an op asks once, for all it needs.
  Result<CuAddress> scratch(uint64_t bytes);
  // A table of the host, now in the given place.
  template <typename T>
  Status upload(CuAddress to, std::span<const T> table) {
    return upload_bytes(to, std::as_bytes(table));
  }
  Status fill_zero(CuAddress at, uint64_t bytes);
  // A product by cuBLASLt, see blas.h for what it asks of addresses.
  Status multiply(const Product& product);
  // Whether an op of this precision multiplies bf16.
  bool fast(Precision precision) const { return precision == Precision::kFast && device_.bf16_products_; }
  // The host gets these numbers when the caller synchronizes.
  template <typename T>
  Status fetch(CuAddress from, std::span<T> to) {
    return device_.results_.fetch(from, std::as_writable_bytes(to), device_.cancel_);
  }
  // Waits for everything asked for, numbers for the host included: for an op that must look at a result of its own.
  Status finish() { return device_.results_.deliver(device_.cancel_); }
  // Between two pieces of an op.
  Status check_cancelled() const { return scrooge::check_cancelled(device_.cancel_); }

  CuStream stream() const { return device_.compute_.stream(); }
  Status check(CuResult result, std::string_view call) { return device_.context_.check(result, call); }
  unsigned multiprocessors() const { return device_.multiprocessors_; }
  const PieceSizes& pieces() const { return device_.pieces_; }
  int64_t shared_limit() const { return device_.shared_limit_; }

 private:
  Status launch_bytes(const Kernel& kernel, const LaunchShape& shape, const void* arguments);
  Status upload_bytes(CuAddress to, std::span<const std::byte> table);

  CudaDevice& device_;
};

template <typename Body>
Status CudaDevice::run(std::string_view op, std::initializer_list<const Buffer*> buffers, const Body& body) {
  const DriverContext::Current current(context_);
  SCROOGE_RETURN_IF_ERROR(current.status());
  SCROOGE_RETURN_IF_ERROR(begin(op, buffers));
  Work work(*this);
  const Status done = body(work);
  const Status marked = end(buffers);
  return (done.ok() ? marked : done).with_context(op);
}

}  // namespace scrooge::backend::cuda
