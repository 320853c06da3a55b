// SPDX-License-Identifier: Apache-2.0
// Solves one stage: from the weights of its linears and the statistics of their common input, and from nothing else (no
// tokens, no hidden state), to scales, clip ranges and codes.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "src/awq/quantized_linear.h"
#include "src/awq/scale_candidates.h"
#include "src/calibration/stage_statistics.h"

namespace scrooge::awq {

struct SolveOptions {
  QuantSpec spec;
  int64_t grid = 20;  // alpha steps; below 2 only the identity
  bool clip = true;
};

struct LinearProblem {
  std::string name;           // for messages
  backend::Matrix weight;     // W[N,K] f32, as in the checkpoint
  backend::Matrix effective;  // out: what the quantized linear computes, in the coordinates of W (scale undone)
};

struct LinearSolution {
  QuantizedLinear quantized;             // of W * s, column-scaled
  double loss = 0;                       // trace(D G D^T), D = effective - W
  double loss_rtn = 0;                   // the same for plain round-to-nearest
  bool clipped = false;                  // the clip search's ranges are used; false: the full ranges were better
  std::vector<uint32_t> clip_histogram;  // groups per clip candidate; empty unless clipped
};

struct StageSolution {
  ScaleCandidate choice;     // its scale s[K] is to be folded into the producer
  double loss_identity = 0;  // of the scale search, before clipping, summed over the linears
  double loss_choice = 0;
  bool fell_back = false;  // the best scale left a linear worse than round-to-nearest; the identity was taken
  std::vector<LinearSolution> linears;
};

// The clip search's candidates: both ends of the range shrunk by 1.00, 0.95, ... 0.50.
std::span<const backend::ClipCandidate> clip_candidates();

// Scratch shared by all stages of a job. One thread at a time; the device must outlive it.
class Solver {
 public:
  struct Shape {
    int64_t rows = 0;  // N
    int64_t cols = 0;  // K
  };
  // Device bytes that create() allocates to solve linears of any of these shapes.
  static uint64_t scratch_bytes(std::span<const Shape> shapes, const SolveOptions& options);
  static Result<std::unique_ptr<Solver>> create(backend::Device& device, std::span<const Shape> shapes,
                                                const SolveOptions& options);

  // kNonFinite names the linear when a loss is NaN or infinite.
  Result<StageSolution> solve(std::span<const LinearProblem> linears, const calibration::StageStatistics& statistics,
                              const Ties& ties);
  // Round-to-nearest without statistics; losses stay 0.
  Result<LinearSolution> round_to_nearest(const LinearProblem& linear);

 private:
  Solver(backend::Device& device, const SolveOptions& options) : device_(device), options_(options) {}
  struct Search {
    std::vector<double> total;                   // per candidate
    std::vector<std::vector<double>> by_linear;  // [linear][candidate]
  };
  Status score(std::span<const LinearProblem> linears, const backend::Matrix& gram,
               std::span<const ScaleCandidate> candidates, int64_t row_step, backend::Precision precision, Search& out);
  Result<size_t> choose(std::span<const LinearProblem> linears, const backend::Matrix& gram,
                        std::vector<ScaleCandidate>& candidates, Search& finalists);
  Status quantize_stage(std::span<const LinearProblem> linears, const backend::Matrix& gram, StageSolution& solution);
  Status quantize_linear(const LinearProblem& linear, const backend::Matrix& gram, LinearSolution& solution);
  Status emit(const LinearProblem& linear, const backend::Matrix& scaled, QuantizedLinear& quantized);
  Result<double> loss(const LinearProblem& linear, const backend::Matrix& gram);
  Status set_scale(std::span<const float> scale);

  backend::Device& device_;
  const SolveOptions options_;
  std::unique_ptr<backend::Buffer> scaled_weight_;
  std::unique_ptr<backend::Buffer> scaled_gram_;
  std::unique_ptr<backend::Buffer> candidates_;
  std::unique_ptr<backend::Buffer> scale_;  // s[K], then 1/s[K]
  std::unique_ptr<backend::Buffer> error_;  // clip error [N,P]
};

}  // namespace scrooge::awq
