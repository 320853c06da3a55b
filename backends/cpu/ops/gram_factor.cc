// SPDX-License-Identifier: Apache-2.0
// With H reversed in the order of the steps and L its Cholesky factor, u_j is row (K - 1 - j) of L^-1, read backwards.
// Blocked with 64 x 64 tiles in f64. No f64 matrix is kept: the two outputs together hold L as pairs of f32, value and
// remainder (48 bits), in their lower triangles, and by_step the rounded inverse, transposed, above the diagonal. The
// remainder of a tile takes the place of the reversed H, which by_channel holds first, so that gram is read once and
// may be by_step. Tasks: rows of the reversed H; the tiles below the diagonal of one tile column of L; one tile column
// of L^-1; rows of the outputs.
#include <cmath>

#include "backends/cpu/cpu_device.h"
#include "backends/cpu/ops/scratch_parts.h"
#include "backends/cpu/simd/ordered_product.h"
#include "src/backend/validate.h"

namespace scrooge::backend::cpu {
namespace {

constexpr int64_t kTile = 64;
constexpr int64_t kDepth = 256;  // columns of L that a task holds in f64 at once

using DoubleProduct = BasicProduct<double>;

// The lower triangle of the tile becomes its Cholesky factor; false when a pivot is not positive.
bool factorize_tile(double* tile, int64_t size) {
  for (int64_t j = 0; j < size; ++j) {
    const double* column = tile + j * kTile;
    for (int64_t i = j; i < size; ++i) {
      double* row = tile + i * kTile;
      double sum = row[j];
      for (int64_t p = 0; p < j; ++p) sum -= row[p] * column[p];
      if (i == j && !(sum > 0 && std::isfinite(sum))) return false;
      row[j] = i == j ? std::sqrt(sum) : sum / column[j];
    }
  }
  return true;
}

// The inverse of a lower triangle, with zeros above it.
void invert_tile(const double* tile, int64_t size, double* inverse) {
  for (int64_t i = 0; i < size; ++i) {
    double* row = inverse + i * kTile;
    for (int64_t c = 0; c < size; ++c) row[c] = i == c ? 1 : 0;
    for (int64_t p = 0; p < i; ++p) {
      const double factor = tile[i * kTile + p];
      for (int64_t c = 0; c <= p; ++c) row[c] -= factor * inverse[p * kTile + c];
    }
    for (int64_t c = 0; c <= i; ++c) row[c] /= tile[i * kTile + i];
  }
}

struct SharedSpace {
  SharedSpace(Carver& carver, int64_t k) {
    row = carver.take<double>(kTile * k);
    inverses = carver.take<double>((k + kTile - 1) / kTile * kTile * kTile);
    tile = carver.take<double>(kTile * kTile);
  }
  double* row;       // [kTile, k]: the tile row of L that a column of tiles needs
  double* inverses;  // [tile][kTile, kTile]: of the diagonal tiles of L
  double* tile;      // the diagonal tile at hand
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
  void store_factor(int64_t i, int64_t t, const double* tile, int64_t stride) const {
    for (int64_t r = 0; r < size(i); ++r) {
      float* value = row_of<float>(p_.by_step, begin(i) + r) + begin(t);
      float* rest = row_of<float>(p_.by_channel, begin(i) + r) + begin(t);
      for (int64_t c = 0; c < size(t); ++c) {
        const double exact = tile[r * stride + c];
        value[c] = static_cast<float>(exact);
        rest[c] = static_cast<float>(exact - static_cast<double>(value[c]));
      }
    }
  }

  // c[size(i), size(t)] = or -= a b, where op(a) has `depth` columns.
  DoubleProduct product(int64_t i, int64_t t, int64_t depth, bool subtract) const {
    DoubleProduct result;
    result.m = size(i);
    result.n = size(t);
    result.k = depth;
    result.lda = result.ldb = result.ldc = kTile;
    result.beta = subtract ? 1 : 0;
    result.alpha = subtract ? -1 : 1;
    return result;
  }

  bool factorize_diagonal(int64_t t) {
    const int64_t done = begin(t);
    load_factor(t, 0, done, shared_->row, k_);
    double* const tile = shared_->tile;
    std::fill(tile, tile + kTile * kTile, 0.0);
    load_gram(t, t, tile);
    if (done > 0) {
      DoubleProduct update = product(t, t, done, true);
      update.transpose_b = true;
      update.a = update.b = shared_->row;
      update.lda = update.ldb = k_;
      update.c = tile;
      multiply_ordered(update);
    }
    if (!factorize_tile(tile, size(t))) return false;
    invert_tile(tile, size(t), inverse(t));
    return true;
  }

  void factorize_below(int64_t i, int64_t t, int worker) const {
    Carver carver(execution_.scratch.worker(worker));
    const WorkerSpace space(carver, k_);
    load_gram(i, t, space.tile);
    for (int64_t column = 0; column < begin(t); column += kDepth) {
      const int64_t width = std::min(kDepth, begin(t) - column);
      load_factor(i, column, width, space.chunk, kDepth);
      DoubleProduct update = product(i, t, width, true);
      update.transpose_b = true;
      update.a = space.chunk;
      update.lda = kDepth;
      update.b = shared_->row + column;
      update.ldb = k_;
      update.c = space.tile;
      multiply_ordered(update);
    }
    DoubleProduct solved = product(i, t, size(t), false);
    solved.transpose_b = true;
    solved.a = space.tile;
    solved.b = inverse(t);
    solved.c = space.chunk;
    multiply_ordered(solved);
    store_factor(i, t, space.chunk, kTile);
  }

  Status invert_column(int64_t t, int worker) const {
    Carver carver(execution_.scratch.worker(worker));
    const WorkerSpace space(carver, k_);
    const int64_t n = size(t);
    for (int64_t r = 0; r < n; ++r) std::copy_n(inverse(t) + r * kTile, n, space.column + r * kTile);
    for (int64_t i = t + 1; i < tiles_; ++i) {
      SCROOGE_RETURN_IF_ERROR(execution_.check_cancelled(worker));
      std::fill(space.tile, space.tile + kTile * kTile, 0.0);
      for (int64_t column = begin(t); column < begin(i); column += kDepth) {
        const int64_t width = std::min(kDepth, begin(i) - column);
        load_factor(i, column, width, space.chunk, kDepth);
        DoubleProduct update = product(i, t, width, true);
        update.a = space.chunk;
        update.lda = kDepth;
        update.b = space.column + (column - begin(t)) * kTile;
        update.c = space.tile;
        multiply_ordered(update);
      }
      DoubleProduct solved = product(i, t, size(i), false);
      solved.a = inverse(i);
      solved.b = space.tile;
      solved.c = space.column + (begin(i) - begin(t)) * kTile;
      multiply_ordered(solved);
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
