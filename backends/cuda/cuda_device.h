// SPDX-License-Identifier: Apache-2.0
// The device: memory and transfers in device_memory.cc, every op in ops/ under its own name.
//
// Two queues. Kernels, device copies and fills run on `compute_`; uploads, downloads and the zeros of new buffers on
// `copy_`. A buffer knows the last ticket of each that touched it, so what follows waits for just that: the next
// block's weights travel while this block is worked on, and the order of the calls still holds for every buffer.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>

#include "backends/cuda/arena.h"
#include "backends/cuda/blas.h"
#include "backends/cuda/host_results.h"
#include "backends/cuda/kernel_cache.h"
#include "backends/cuda/pieces.h"
#include "backends/cuda/queue.h"
#include "backends/cuda/staging.h"
#include "src/backend/device.h"

namespace scrooge::backend::cuda {

// What NVIDIA recommends for its newest cards; smaller ones are served by less, but not the same on all.
inline constexpr uint64_t kBlasWorkspace = uint64_t{32} << 20;

// What differs between the product and its tests.
struct DeviceSetup {
  const DriverApi* driver = nullptr;
  std::span<const KernelImage> images;
  std::string_view backend = "cuda";
  ArenaSizes arena;
  Result<const BlasApi*> (*load_blas)() = nullptr;  // called at the first product
  uint64_t blas_workspace = kBlasWorkspace;
  PieceSizes pieces;
};

class Work;
class CudaBuffer;

class CudaDevice final : public Device {
 public:
  // REQUIRES: options.budget is not null. kInvalidArgument for an index that is not there, kUnavailable for a card that
  // the kernels do not run on.
  static Result<std::unique_ptr<CudaDevice>> open(const DeviceSetup& setup, int index, const DeviceOptions& options);
  ~CudaDevice() override;

  DeviceInfo describe() const override;
  Result<std::unique_ptr<Buffer>> allocate(uint64_t bytes, std::string_view purpose) override;
  Status upload(Buffer& to, uint64_t offset, std::span<const std::byte> from) override;
  Status download(const Buffer& from, uint64_t offset, std::span<std::byte> to) override;
  Status copy(const Buffer& from, uint64_t from_offset, Buffer& to, uint64_t to_offset, uint64_t bytes) override;
  Status fill_zero(Buffer& buffer, uint64_t offset, uint64_t bytes) override;
  Status synchronize() override;

  Status convert(const ConvertParams& params) override;
  Status gemm(const GemmParams& params) override;
  Status gram_accumulate(const GramAccumulateParams& params) override;
  Status column_stats(const ColumnStatsParams& params) override;
  Status normalize(const NormalizeParams& params) override;
  Status rope(const RopeParams& params) override;
  Status attention_causal(const AttentionCausalParams& params) override;
  Status gate(const GateParams& params) override;
  Status add(const AddParams& params) override;
  Status scale_axis(const ScaleAxisParams& params) override;
  Status group_params(const GroupParamsParams& params) override;
  Status scale_search_loss(const ScaleSearchLossParams& params) override;
  Status clip_search(const ClipSearchParams& params) override;
  Status quantize(const QuantizeParams& params) override;
  Status dequantize(const DequantizeParams& params) override;
  Status pack(const PackParams& params) override;
  Status gram_loss(const GramLossParams& params) override;
  Status gram_factor(const GramFactorParams& params) override;
  Status gram_solve(const GramSolveParams& params) override;
  Status gptq(const GptqParams& params) override;
  Status refit_scales(const RefitScalesParams& params) override;
  Status refine_codes(const RefineCodesParams& params) override;
  Status reduce(const ReduceParams& params) override;

  // Bytes that the driver has given for buffers and scratch.
  uint64_t held() const { return arena_.held(); }

 private:
  friend class Work;
  friend class CudaBuffer;

  CudaDevice(const DeviceSetup& setup, CuDevice device, const DeviceOptions& options);

  // One op: body(Work&) asks for its kernels. The buffers are those it reads or writes; null ones are passed over.
  template <typename Body>
  Status run(std::string_view op, std::initializer_list<const Buffer*> buffers, const Body& body);
  Status begin(std::string_view op, std::initializer_list<const Buffer*> buffers);
  Status end(std::initializer_list<const Buffer*> buffers);
  Status quiesce();
  void release(const Arena::Block& block);

  const std::string backend_;
  CancelToken* const cancel_;
  DriverContext context_;
  Queue compute_;
  Queue copy_;
  Arena arena_;
  Staging staging_;
  HostResults results_;
  KernelCache kernels_;
  Blas blas_;
  const uint64_t workspace_bytes_;
  const PieceSizes pieces_;
  Arena::Block scratch_;
  Arena::Block workspace_;      // of blas_
  bool bf16_products_ = false;  // the card multiplies bf16 faster than f32
  unsigned multiprocessors_ = 1;
  unsigned shared_limit_ = kDefaultDynamicShared;
};

class CudaBuffer final : public Buffer {
 public:
  CudaBuffer(CudaDevice& device, const Arena::Block& block, uint64_t size)
      : Buffer(size, nullptr), block_(block), device_(device) {}
  ~CudaBuffer() override { device_.release(block_); }

  CuAddress address() const { return block_.address; }

 private:
  friend class CudaDevice;
  mutable Arena::Block block_;     // with the compute queue's last ticket
  mutable uint64_t uploaded_ = 0;  // the copy queue's last ticket
  CudaDevice& device_;
};

}  // namespace scrooge::backend::cuda
