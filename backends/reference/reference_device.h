// SPDX-License-Identifier: Apache-2.0
// The oracle: one thread, plain loops, double accumulators. Every op is one file named like it; to start a new backend,
// copy this folder and replace the files one by one.
#pragma once

#include <memory>
#include <string_view>

#include "src/backend/device.h"

namespace scrooge::backend::reference {

class ReferenceDevice final : public Device {
 public:
  // REQUIRES: budget is not null and outlives the device.
  explicit ReferenceDevice(MemoryBudget* budget) : budget_(budget) {}

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

 private:
  MemoryBudget* budget_;
};

}  // namespace scrooge::backend::reference
