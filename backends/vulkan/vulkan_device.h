// SPDX-License-Identifier: Apache-2.0
// The backend's Device: one file per op under ops/, memory and transfers in vulkan_device.cc.
#pragma once

#include <memory>
#include <span>

#include "backends/vulkan/commands.h"
#include "backends/vulkan/ops/scratch_parts.h"
#include "backends/vulkan/windows.h"
#include "src/backend/device.h"

namespace scrooge::backend::vulkan {

class GramFactorization;
struct QuadraticForm;

class VulkanBuffer final : public Buffer {
 public:
  VulkanBuffer(std::unique_ptr<Memory> memory, Commands& commands, uint64_t size)
      : Buffer(size, nullptr), commands_(commands), memory_(std::move(memory)) {}
  ~VulkanBuffer() override { (void)commands_.wait_for(*memory_); }
  Memory& memory() const { return *memory_; }

 private:
  Commands& commands_;
  std::unique_ptr<Memory> memory_;
};

// Planes of scratch, an element for each candidate of each group of each row of a tile.
struct ClipTrials {
  Binding scales, zeros, losses;
};

// An order of steps both ways, for shaders: the channel of a step, the step of a channel.
struct StepOrder {
  HostRange channel_of, step_of;
};

struct GptqPush;
// Scratch of a tile of rows, see shaders/gptq_push.h.
struct GptqSpace {
  Binding work, errors;
  StepOrder order;
  Window scales, zeros;  // of the tile
};

class VulkanDevice final : public Device {
 public:
  VulkanDevice(std::shared_ptr<Context> context, const DeviceOptions& options)
      : context_(std::move(context)),
        budget_(*options.budget),
        commands_(*context_, options.host_budget != nullptr ? *options.host_budget : budget_, options.cancel) {}
  Status init() { return commands_.init(); }

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
  friend class GramFactorization;  // ops/gram_factor.cc

  const PhysicalDevice& physical() const { return context_->physical(); }

  // Runs shader, with the specialization constants 0, 1, ... given, over `grid` workgroups. Windows are the bindings
  // 0, 1, ...; Push is a struct of 4-byte members that shader and op share. `work`: operations or bytes, whatever the
  // time is proportional to, of the whole.
  template <typename Push>
  Status run(const Shader& shader, std::span<const uint32_t> constants, std::initializer_list<Binding> bindings,
             const Push& push, Grid grid, double work) {
    static_assert(sizeof(Push) <= kPushBytes && sizeof(Push) % 4 == 0);
    SCROOGE_ASSIGN_OR_RETURN(Kernel* const kernel, context_->kernels().get(shader, constants));
    return commands_.dispatch(*kernel, {bindings.begin(), bindings.size()}, std::as_bytes(std::span(&push, 1)), grid,
                              work);
  }

  // At least `bytes` that an op may use from its first call of run() to its last; the next op gets the same. Counted in
  // the budget, kept for the next time; what it holds is unspecified.
  Result<Memory*> scratch(uint64_t bytes);

  // A piece of memory for a transfer, smaller where the budget has no room for what would be best. settle() -> Status
  // waits for the pieces on their way and gives them up.
  template <typename Settle>
  Result<HostRange> staging(uint64_t bytes, const Settle& settle);

  // Shared by group_params and clip_search (ops/group_params.cc): the scale of candidate c of group g of row r of w is
  // element (r, g * candidates + c) of `scales`, and so its zero point.
  Result<HostRange> clip_ratios(std::span<const ClipCandidate> candidates);
  Status run_group_params(const Matrix& w, const QuantSpec& spec, ClipRule rule, const HostRange& ratios,
                          int64_t candidates, const Window& scales, const Window& zeros);
  // ops/clip_search.cc
  Status clip_losses(const ClipSearchParams& params, int64_t first, int64_t rows, const ClipTrials& trials);
  // ops/gptq.cc, refine_codes.cc, refit_scales.cc: parts of the op of that name.
  Status gptq_block(const GptqParams& params, const GptqSpace& space, GptqPush push);
  Status refine_rows(const RefineCodesParams& params, int64_t first, int64_t rows, const Binding& slopes);
  Status refit_rows(const RefitScalesParams& params, int64_t first, int64_t rows, const Binding& sums);

  // ops/gather.cc. to(r, c) = from(r, c), from(order[first + r], c) or from(r, order[c]).
  enum class Gather { kCopy, kRows, kCols };
  Status gather(Gather how, const Window& from, const Window& to, int64_t rows, int64_t cols, const Binding& order,
                int64_t first = 0);
  Result<StepOrder> step_order(std::span<const int32_t> order);
  // ops/gram_solve.cc: y = x U, or x U^T.
  Status multiply_factor(const Matrix& factor, bool upper, int64_t rows, const Window& x, Window y);

  // ops/gram_accumulate.cc: `tokens` of a and b, on rows of the Gram matrix.
  Status add_to_gram(const GramAccumulateParams& params, int64_t token, int64_t tokens, int64_t row, int64_t rows);
  // to = from^T, or only what is below the diagonal of `to`, which may then be `from`.
  Status transpose(const Matrix& from, const Matrix& to, bool lower);
  // ops/attention_causal.cc
  Status attend(const AttentionCausalParams& params, const AttentionScratch& space, const AttentionPart& part);

  // ops/quadratic_form.cc: parts of e G e^T for rows e = a - b, or a; then sums of the parts, of each row or of all
  // `together`, at sums[first_sum ...].
  Status quadratic_parts(const QuadraticForm& form, const Matrix& gram, int64_t rows, const Window& a, const Window* b,
                         const Binding& parts);
  Status quadratic_sums(const QuadraticForm& form, int64_t rows, const Vector& weights, bool together,
                        const Binding& parts, const Binding& sums, int64_t first_sum);
  // ops/scale_search_loss.cc
  Status scale_search_error(const Matrix& w, const Vector& candidate, const QuantSpec& spec, const Window& error);

  const std::shared_ptr<Context> context_;
  MemoryBudget& budget_;
  std::unique_ptr<Memory> scratch_;  // before commands_, which waits for what uses it
  Commands commands_;
  uint64_t staged_ = 0;  // bytes of uploads since one was submitted
};

}  // namespace scrooge::backend::vulkan
