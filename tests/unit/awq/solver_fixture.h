// SPDX-License-Identifier: Apache-2.0
// A solver for a stage of like linears with the workspace it needs, and what a solution computes.
#pragma once

#include <gtest/gtest.h>

#include "src/awq/solve.h"
#include "tests/support/device_data.h"

namespace scrooge::awq {

class StageSolver {
 public:
  StageSolver(test::DeviceData& data, int64_t rows, int64_t inputs, const SolveOptions& options, size_t linears = 1) {
    const std::vector<LinearShape> stage(linears, LinearShape{rows, inputs});
    auto workspace = data.device().allocate(Solver::workspace_end(stage, options, false, false), "workspace");
    EXPECT_TRUE(workspace.ok());
    workspace_ = std::move(*workspace);
    solver_ = std::make_unique<Solver>(data.device(), options, *workspace_);
  }
  Solver* operator->() const { return solver_.get(); }

 private:
  std::unique_ptr<backend::Buffer> workspace_;
  std::unique_ptr<Solver> solver_;
};

// Of the first linear: dequantized, the scale undone.
inline std::vector<float> effective_weight(test::DeviceData& data, const StageSolution& solution) {
  const QuantizedLinear& q = solution.linears[0].quantized;
  const backend::Matrix out = data.zeros(q.rows, q.cols);
  EXPECT_TRUE(data.device().dequantize({q.codes(), q.scales(), q.zeros(), out, q.spec}).ok());
  std::vector<float> result = data.read(out);
  for (size_t i = 0; i < result.size(); ++i) result[i] /= solution.choice.scale[i % static_cast<size_t>(q.cols)];
  return result;
}

}  // namespace scrooge::awq
