// SPDX-License-Identifier: Apache-2.0
// The error-correcting target of a stage: W* = W + c (W (C - G) + R) (G + delta I)^-1. With X the inputs that arrive,
// X* the original ones, C = X*^T X and R = (h* - h)^T X, the full step (c = 1, delta = 0) is the least-squares solution
// of X W*^T = X* W^T + (h* - h); half a step generalizes better from few tokens.
#include "src/awq/solve.h"

namespace scrooge::awq {

using backend::Matrix;
using backend::Precision;
using calibration::StageStatistics;

// W (C - G) + R into the buffer; statistics.cross() already has G subtracted. cross() is X^T X* = C^T, so that it
// multiplies from the right as a weight does.
Status Solver::output_step(const LinearProblem& linear, const StageStatistics& statistics, backend::Buffer& buffer) {
  const Matrix& w = linear.weight;
  const Matrix step{&buffer, 0, w.rows, w.cols, w.cols, DType::kF32};
  float beta = 0;
  if (statistics.has_residual()) {
    const Matrix residual = statistics.residual();
    const uint64_t bytes = static_cast<uint64_t>(w.rows * w.cols) * sizeof(float);
    SCROOGE_RETURN_IF_ERROR(device_.copy(*residual.buffer, residual.offset, buffer, 0, bytes));
    beta = 1;
  }
  return device_.gemm({w, statistics.cross(), step, {}, beta, Precision::kExact});
}

Result<bool> Solver::make_targets(std::span<const LinearProblem> linears, const StageStatistics& statistics,
                                  std::vector<Matrix>& targets) {
  for (const LinearProblem& problem : linears) targets.push_back(problem.weight);
  if (options_.correct <= 0 || !factor_ready_ || !statistics.has_original()) return false;
  const Matrix gram = statistics.gram();
  SCROOGE_RETURN_IF_ERROR(device_.add({gram, statistics.cross(), -1.0f}));
  uint64_t offset = 0;
  for (size_t i = 0; i < linears.size(); ++i) {
    const Matrix& w = linears[i].weight;
    const int64_t n = w.rows;
    const int64_t k = w.cols;
    const uint64_t bytes = static_cast<uint64_t>(n * k) * sizeof(float);
    const Matrix target{targets_.get(), offset, n, k, k, DType::kF32};
    const Matrix half{scaled_weight_.get(), 0, n, k, k, DType::kF32};
    const Matrix step{trial_effective_.get(), 0, n, k, k, DType::kF32};
    offset += bytes;
    SCROOGE_RETURN_IF_ERROR(output_step(linears[i], statistics, *trial_effective_));
    // (G + delta I)^-1 = U^T U with U = by_step.
    SCROOGE_RETURN_IF_ERROR(device_.gemm({step, factor_->by_step(), half, {}, 0, Precision::kExact}));
    SCROOGE_RETURN_IF_ERROR(device_.gemm({half, factor_->by_channel(), step, {}, 0, Precision::kExact}));
    SCROOGE_RETURN_IF_ERROR(device_.copy(*w.buffer, w.offset, *target.buffer, target.offset, bytes));
    SCROOGE_RETURN_IF_ERROR(device_.add({step, target, static_cast<float>(options_.correct)}));
    targets[i] = target;
  }
  return true;
}

}  // namespace scrooge::awq
