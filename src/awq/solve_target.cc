// SPDX-License-Identifier: Apache-2.0
// The error-correcting target of a stage: W* = W + c (W (C - G) + R) (G + delta I)^-1. With X the inputs that arrive,
// X* the original ones, C = X*^T X and R = (h* - h)^T X, the full step (c = 1, delta = 0) is the least-squares solution
// of X W*^T = X* W^T + (h* - h); half a step generalizes better from few tokens. The statistics hold either the step
// W (C - G) + R itself or (C - G)^T.
#include "src/awq/solve.h"

namespace scrooge::awq {

using backend::Matrix;
using backend::Precision;
using calibration::StageStatistics;

// W (C - G) + R of the rows from `first` on, in `room` unless the statistics hold it.
Result<Matrix> Solver::output_step(const Matrix& w, int64_t first, const StageStatistics& statistics,
                                   const Matrix& room) {
  if (statistics.by_output()) return statistics.correction().row_range(first, w.rows);
  const Matrix step = room.row_range(0, w.rows);
  SCROOGE_RETURN_IF_ERROR(device_.gemm({w, statistics.correction(), step, {}, 0, Precision::kExact}));
  return step;
}

// To W + c step (G + delta I)^-1. `step` may be `to`, or the room of what is on its way.
Status Solver::correct_tile(const Matrix& w, const Matrix& step, const SolveRooms& rooms, const Matrix& to) {
  const Matrix whole = rooms.effective.row_range(0, w.rows);
  SCROOGE_RETURN_IF_ERROR(device_.gram_solve({step, factor_.matrix(), whole, factor_.order()}));
  SCROOGE_RETURN_IF_ERROR(device_.copy(*w.buffer, w.offset, *to.buffer, to.offset, float_bytes(w.rows * w.cols)));
  return device_.add({whole, to, static_cast<float>(options_.correct)});
}

// `target` may be the correction itself: a tile of it is read before it is written.
Status Solver::make_target(model::WeightRows& weight, const StageStatistics& statistics, const SolveRooms& rooms,
                           const Matrix& target) {
  return model::for_each_tile(weight, [&](int64_t first, const Matrix& w) {
    SCROOGE_ASSIGN_OR_RETURN(const Matrix step, output_step(w, first, statistics, rooms.effective));
    return correct_tile(w, step, rooms, target.row_range(first, w.rows));
  });
}

// In the file, in the place of the correction.
Status Solver::make_parked_target(model::WeightRows& weight, const SolveRooms& rooms) {
  return model::for_each_tile(weight, [&](int64_t first, const Matrix& w) {
    const Matrix tile = rooms.target_tile.row_range(0, w.rows);
    const uint64_t at = float_bytes(first * w.cols);
    SCROOGE_RETURN_IF_ERROR(parking_->target.read(tile, at));
    SCROOGE_RETURN_IF_ERROR(correct_tile(w, tile, rooms, tile));
    return parking_->target.write(tile, at);
  });
}

namespace {

class ParkedWeight final : public model::WeightRows {
 public:
  ParkedWeight(calibration::SpilledMatrix& file, const Matrix& room, int64_t rows)
      : WeightRows(rows, room.cols), file_(file), room_(room) {}
  Result<Matrix> load(int64_t first, int64_t count) override {
    const Matrix tile = room_.row_range(0, count);
    SCROOGE_RETURN_IF_ERROR(file_.read(tile, float_bytes(first * cols())));
    return tile;
  }

 private:
  calibration::SpilledMatrix& file_;
  Matrix room_;
};

}  // namespace

Result<Solver::Targets> Solver::make_targets(std::span<const LinearProblem> linears, const StageStatistics& statistics,
                                             const SolveRooms& rooms) {
  Targets targets;
  targets.corrected = options_.correct > 0 && factor_.ready() && statistics.has_original();
  int64_t first = 0;
  for (const LinearProblem& problem : linears) {
    model::WeightRows& weight = *problem.weight;
    if (!targets.corrected) {
      targets.rows.push_back(&weight);
      continue;
    }
    if (!statistics.by_output() && linears.size() == 1) {
      return error(StatusCode::kInternal, problem.name, ": a stage of one linear holds its correction by output");
    }
    if (statistics.by_output() && parks(statistics)) {
      SCROOGE_RETURN_IF_ERROR(make_parked_target(weight, rooms));
      targets.made.push_back(std::make_unique<ParkedWeight>(parking_->target, rooms.target_tile, weight.rows()));
    } else {
      const Matrix target =
          statistics.by_output() ? statistics.correction() : rooms.targets.row_range(first, weight.rows());
      SCROOGE_RETURN_IF_ERROR(make_target(weight, statistics, rooms, target));
      targets.made.push_back(std::make_unique<model::ResidentWeight>(target));
    }
    targets.rows.push_back(targets.made.back().get());
    first += weight.rows();
  }
  return targets;
}

}  // namespace scrooge::awq
