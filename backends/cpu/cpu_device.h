// SPDX-License-Identifier: Apache-2.0
// The device: memory in device.cc, every op in ops/ under its own name.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "backends/cpu/execution.h"
#include "backends/cpu/processor.h"
#include "backends/cpu/rope_table.h"
#include "src/backend/device.h"

namespace scrooge::backend::cpu {

class CpuDevice final : public Device {
 public:
  // `name` is the backend's, as describe() gives it. REQUIRES: options.budget is not null and outlives the device.
  CpuDevice(const DeviceOptions& options, const Processor& processor, std::unique_ptr<MatrixProduct> product,
            std::string_view name);

  DeviceInfo describe() const override;
  Result<std::unique_ptr<Buffer>> allocate(uint64_t bytes, std::string_view purpose) override;
  Status upload(Buffer& to, uint64_t offset, std::span<const std::byte> from) override;
  Status download(const Buffer& from, uint64_t offset, std::span<std::byte> to) override;
  Status copy(const Buffer& from, uint64_t from_offset, Buffer& to, uint64_t to_offset, uint64_t bytes) override;
  Status fill_zero(Buffer& buffer, uint64_t offset, uint64_t bytes) override;
  Status synchronize() override { return {}; }

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

 private:
  Execution execution() { return {pool_, scratch_, *product_}; }

  const std::string name_;
  MemoryBudget& budget_;
  const Processor processor_;
  ThreadPool pool_;
  Scratch scratch_;
  std::unique_ptr<MatrixProduct> product_;
  RopeTable rope_table_;
};

// What describe() says, for the backend called `name` and a provider of matrix products.
DeviceInfo device_info(std::string_view name, const Processor& processor, std::string_view provider);

}  // namespace scrooge::backend::cpu
