// SPDX-License-Identifier: Apache-2.0
// A block from the results of an earlier calibration: no tokens, no forward pass.
#include "src/pipeline/block_quantizer.h"
#include "src/pipeline/saved_calibration.h"

namespace scrooge::pipeline {

Status BlockQuantizer::reapply(int64_t block, BlockOutcome& outcome) {
  const Stopwatch watch;
  const model::BlockPlan& plan = source_.block_plan();
  SCROOGE_ASSIGN_OR_RETURN(const SavedBlock saved, options_.saved->block(source_, block));
  for (size_t s = 0; s < plan.stages.size(); ++s) {
    std::vector<awq::SavedLinear> linears;
    for (const SavedBlock::Linear& linear : saved.stages[s].linears) {
      const bool clip = options_.solve.clip && !linear.clip_ratios.empty();
      linears.push_back({clip ? std::span(linear.clip_index) : std::span<const uint8_t>(), linear.clip_ratios});
    }
    const SavedBlock::Stage& stage = saved.stages[s];
    SCROOGE_ASSIGN_OR_RETURN(awq::StageSolution solution, solver_->reapply(linear_problems(block, plan.stages[s]),
                                                                           {stage.scale, stage.mean, linears}));
    outcome.stages.push_back(std::move(solution));
    SCROOGE_RETURN_IF_ERROR(
        tick(plan.stages[s].name.c_str(), static_cast<double>(s) / static_cast<double>(plan.stages.size())));
  }
  outcome.tokens = options_.saved->info().blocks[static_cast<size_t>(block)].tokens;
  outcome.quantize_seconds += watch.seconds();
  return {};
}

}  // namespace scrooge::pipeline
