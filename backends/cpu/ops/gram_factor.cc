// SPDX-License-Identifier: Apache-2.0
// With H reversed in the order of the steps and L its Cholesky factor, u_j is row (K - 1 - j) of L^-1, read backwards.
// Blocked with 64 x 64 tiles in f64. No f64 matrix is kept: the two outputs together hold L as pairs of f32, value and
// remainder (48 bits), in their lower triangles, and by_step the rounded inverse, transposed, above the diagonal. The
// remainder of a tile takes the place of the reversed H, which by_channel holds first, so that gram is read once and
// may be by_step. Tasks: rows of the reversed H; the tiles below the diagonal of one tile column of L; one tile column
// of L^-1; rows of the outputs.
#include <Eigen/Cholesky>
#include <Eigen/Core>

#include "backends/cpu/cpu_device.h"
#include "backends/cpu/ops/scratch_parts.h"
#include "src/backend/validate.h"

namespace scrooge::backend::cpu {
namespace {

using Dense = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Block = Eigen::Map<Dense, Eigen::Unaligned, Eigen::OuterStride<>>;

constexpr int64_t kTile = 64;
constexpr int64_t kDepth = 256;  // columns of L that a task holds in f64 at once

Block block(double* at, int64_t rows, int64_t cols, int64_t stride) {
  return Block(at, rows, cols, Eigen::OuterStride<>(stride));
}

struct SharedSpace {
  SharedSpace(Carver& carver, int64_t k) {
    row = carver.take<double>(kTile * k);
    inverses = carver.take<double>((k + kTile - 1) / kTile * kTile * kTile);
  }
  double* row;       // [kTile, k]: the tile row of L that a column of tiles needs
  double* inverses;  // [tile][kTile, kTile]: of the diagonal tiles of L
};

struct WorkerSpace {
  WorkerSpace(Carver& carver, int64_t k) {
    tile = carver.take<double>(kTile * kTile);
    chunk = carver.take<double>(kTile * kDepth);
    column = carver.take<double>(k * kTile);
  }
  double* tile;
  double* chunk;   // [kTile, kDepth] of L
  double* column;  // [k, kTile] of L^-1
};

class Factorization {
 public:
  Factorization(const GramFactorParams& params, const Execution& execution)
      : p_(params), k_(params.gram.rows), tiles_((k_ + kTile - 1) / kTile), execution_(execution) {
    Carver carver(execution.scratch.shared());
    shared_ = std::make_unique<SharedSpace>(carver, k_);
    double trace = 0;
    for (int64_t i = 0; i < k_; ++i) trace += row_of<float>(p_.gram, i)[i];
    added_ = p_.damping * trace / static_cast<double>(k_);
  }

  // The lower triangle of the reversed H, undamped, from the upper one of gram.
  Status arrange() {
    return execution_.for_each_row(k_, k_, [&](int64_t a) {
      float* to = row_of<float>(p_.by_channel, a);
      for (int64_t b = 0; b <= a; ++b) {
        const auto [row, column] = std::minmax({channel(a), channel(b)});
        to[b] = row_of<float>(p_.gram, row)[column];
      }
    });
  }

  // False when a pivot is not positive.
  Result<bool> factorize() {
    for (int64_t t = 0; t < tiles_; ++t) {
      if (!factorize_diagonal(t)) return false;
      SCROOGE_RETURN_IF_ERROR(execution_.pool.parallel_for(
          tiles_ - t - 1, [&](int64_t index, int worker) { factorize_below(t + 1 + index, t, worker); }));
    }
    return true;
  }

  Status invert() {
    return execution_.for_each(tiles_, [&](int64_t t, int worker) { return invert_column(t, worker); });
  }

  // From the inverse in by_step's upper triangle to both outputs.
  Status write_outputs() {
    SCROOGE_RETURN_IF_ERROR(execution_.pool.parallel_for(tiles_, [&](int64_t t, int) {
      for (int64_t b = begin(t); b < begin(t) + size(t); ++b) {
        const float* from = row_of<float>(p_.by_step, b);
        float* to = row_of<float>(p_.by_channel, channel(b));
        for (int64_t a = 0; a < k_; ++a) to[k_ - 1 - a] = a < b ? 0 : from[a];
      }
    }));
    return execution_.pool.parallel_for(tiles_, [&](int64_t t, int) {
      for (int64_t c = 0; c < tiles_; ++c) {
        for (int64_t j = begin(t); j < begin(t) + size(t); ++j) {
          float* to = row_of<float>(p_.by_step, j);
          for (int64_t i = begin(c); i < begin(c) + size(c); ++i) to[i] = row_of<float>(p_.by_channel, i)[j];
        }
      }
    });
  }

 private:
  int64_t begin(int64_t t) const { return t * kTile; }
  int64_t size(int64_t t) const { return std::min(kTile, k_ - t * kTile); }
  int64_t channel(int64_t a) const { return p_.order[static_cast<size_t>(k_ - 1 - a)]; }
  double* inverse(int64_t t) const { return shared_->inverses + t * kTile * kTile; }

  // Tile (i, t) of the reversed H; of a diagonal one the lower triangle.
  void load_gram(int64_t i, int64_t t, double* to) const {
    for (int64_t r = 0; r < size(i); ++r) {
      const float* from = row_of<float>(p_.by_channel, begin(i) + r) + begin(t);
      const int64_t count = i == t ? r + 1 : size(t);
      for (int64_t c = 0; c < count; ++c) to[r * kTile + c] = from[c];
      if (i == t) to[r * kTile + r] += added_;
    }
  }
  void load_factor(int64_t i, int64_t column, int64_t width, double* to, int64_t stride) const {
    for (int64_t r = 0; r < size(i); ++r) {
      const float* value = row_of<float>(p_.by_step, begin(i) + r) + column;
      const float* rest = row_of<float>(p_.by_channel, begin(i) + r) + column;
      for (int64_t c = 0; c < width; ++c) {
        to[r * stride + c] = static_cast<double>(value[c]) + static_cast<double>(rest[c]);
      }
    }
  }
  void store_factor(int64_t i, int64_t t, const Dense& tile) const {
    for (int64_t r = 0; r < size(i); ++r) {
      float* value = row_of<float>(p_.by_step, begin(i) + r) + begin(t);
      float* rest = row_of<float>(p_.by_channel, begin(i) + r) + begin(t);
      for (int64_t c = 0; c < size(t); ++c) {
        value[c] = static_cast<float>(tile(r, c));
        rest[c] = static_cast<float>(tile(r, c) - static_cast<double>(value[c]));
      }
    }
  }

  bool factorize_diagonal(int64_t t) {
    const int64_t done = begin(t);
    const int64_t n = size(t);
    load_factor(t, 0, done, shared_->row, k_);
    Block tile = block(inverse(t), n, n, kTile);
    load_gram(t, t, tile.data());
    if (done > 0) tile.selfadjointView<Eigen::Lower>().rankUpdate(block(shared_->row, n, done, k_), -1);
    Eigen::LLT<Eigen::Ref<Dense, 0, Eigen::OuterStride<>>> cholesky(tile);
    // The library lets NaN pass.
    if (cholesky.info() != Eigen::Success || !tile.diagonal().allFinite()) return false;
    const Dense inverted = tile.triangularView<Eigen::Lower>().solve(Dense::Identity(n, n));
    tile = inverted;
    return true;
  }

  void factorize_below(int64_t i, int64_t t, int worker) const {
    Carver carver(execution_.scratch.worker(worker));
    const WorkerSpace space(carver, k_);
    Block tile = block(space.tile, size(i), size(t), kTile);
    load_gram(i, t, space.tile);
    for (int64_t column = 0; column < begin(t); column += kDepth) {
      const int64_t width = std::min(kDepth, begin(t) - column);
      load_factor(i, column, width, space.chunk, kDepth);
      tile.noalias() -=
          block(space.chunk, size(i), width, kDepth) * block(shared_->row + column, size(t), width, k_).transpose();
    }
    store_factor(i, t, tile * block(inverse(t), size(t), size(t), kTile).transpose());
  }

  Status invert_column(int64_t t, int worker) const {
    Carver carver(execution_.scratch.worker(worker));
    const WorkerSpace space(carver, k_);
    const int64_t n = size(t);
    block(space.column, n, n, kTile) = block(inverse(t), n, n, kTile);
    for (int64_t i = t + 1; i < tiles_; ++i) {
      SCROOGE_RETURN_IF_ERROR(execution_.check_cancelled(worker));
      Block tile = block(space.tile, size(i), n, kTile);
      tile.setZero();
      for (int64_t column = begin(t); column < begin(i); column += kDepth) {
        const int64_t width = std::min(kDepth, begin(i) - column);
        load_factor(i, column, width, space.chunk, kDepth);
        tile.noalias() -= block(space.chunk, size(i), width, kDepth) *
                          block(space.column + (column - begin(t)) * kTile, width, n, kTile);
      }
      block(space.column + (begin(i) - begin(t)) * kTile, size(i), n, kTile).noalias() =
          block(inverse(i), size(i), size(i), kTile) * tile;
    }
    for (int64_t b = 0; b < n; ++b) {
      float* to = row_of<float>(p_.by_step, begin(t) + b);
      for (int64_t a = begin(t); a < k_; ++a) to[a] = static_cast<float>(space.column[(a - begin(t)) * kTile + b]);
    }
    return {};
  }

  const GramFactorParams& p_;
  const int64_t k_;
  const int64_t tiles_;
  const Execution execution_;
  std::unique_ptr<SharedSpace> shared_;
  double added_ = 0;
};

}  // namespace

uint64_t gram_factor_shared_scratch(int64_t k) {
  Carver carver;
  const SharedSpace space(carver, k);
  return carver.used();
}

uint64_t gram_factor_scratch(int64_t k) {
  Carver carver;
  const WorkerSpace space(carver, k);
  return carver.used();
}

Status CpuDevice::gram_factor(const GramFactorParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  *p.positive_definite = true;
  if (p.gram.rows == 0) return {};
  SCROOGE_RETURN_IF_ERROR(scratch_.prepare(gram_factor_shared_scratch(p.gram.rows), gram_factor_scratch(p.gram.rows)));
  Factorization factorization(p, execution());
  SCROOGE_RETURN_IF_ERROR(factorization.arrange());
  SCROOGE_ASSIGN_OR_RETURN(*p.positive_definite, factorization.factorize());
  if (!*p.positive_definite) return {};
  SCROOGE_RETURN_IF_ERROR(factorization.invert());
  return factorization.write_outputs();
}

}  // namespace scrooge::backend::cpu
