// SPDX-License-Identifier: Apache-2.0
// With H reversed in the order of the steps and L its Cholesky factor, u_j is row (K - 1 - j) of L^-1, read backwards.
// Blocked with 64 x 64 tiles in f64. No other K x K matrix is kept, not even in f64: below its diagonal tiles `factor`
// first holds the reversed H, then L as pairs of f32, value and remainder (48 bits), the remainder of (a, b) at
// (K - 1 - a, K - 1 - b), then L^-1, which takes the place of L tile column by tile column from the left: a column of
// L^-1 asks for no column of L left of it. Of the diagonal tiles of L only the inverses are asked for, and kept in
// scratch. At the end the upper triangle gets what the lower one has, and all turns around.
// Tasks: rows of the reversed H; the tiles below the diagonal of one tile column of L; one tile column of L^-1, as many
// at once as there are workers; rows of the result.
#include <cmath>
#include <vector>

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
    row = carver.take<float>(k);
  }
  double* tile;
  double* chunk;   // [kTile, kDepth] of L
  double* column;  // [k, kTile] of L^-1
  float* row;      // of H
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
    if (p_.gram.buffer == p_.factor.buffer && p_.gram.offset == p_.factor.offset) return arrange_in_place();
    return execution_.for_each_row(k_, k_, [&](int64_t a) {
      for (int64_t b = 0; b <= a; ++b) {
        const auto [row, column] = std::minmax({channel(a), channel(b)});
        at(a)[b] = row_of<float>(p_.gram, row)[column];
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
    const int64_t wave = execution_.pool.threads();
    for (int64_t first = 0; first < tiles_; first += wave) {
      const int64_t count = std::min(wave, tiles_ - first);
      SCROOGE_RETURN_IF_ERROR(execution_.for_each(
          count, [&](int64_t index, int worker) { return invert_column(first + index, column(index), worker); }));
      SCROOGE_RETURN_IF_ERROR(execution_.pool.parallel_for(
          count, [&](int64_t index, int) { store_inverse(first + index, column(index)); }));
    }
    return {};
  }

  // Both triangles, in steps.
  Status finish() {
    SCROOGE_RETURN_IF_ERROR(execution_.pool.parallel_for(tiles_, [&](int64_t t, int) { mirror(t, true); }));
    return execution_.for_each_row((k_ + 1) / 2, k_, [&](int64_t a) {
      float* const last = at(k_ - 1 - a) + k_ - 1;
      const int64_t count = 2 * a + 1 == k_ ? k_ / 2 : k_;  // of the middle row half, which meets the other half
      for (int64_t b = 0; b < count; ++b) std::swap(at(a)[b], last[-b]);
    });
  }

 private:
  int64_t begin(int64_t t) const { return t * kTile; }
  int64_t size(int64_t t) const { return std::min(kTile, k_ - t * kTile); }
  int64_t channel(int64_t a) const { return p_.order[static_cast<size_t>(k_ - 1 - a)]; }
  float* at(int64_t row) const { return row_of<float>(p_.factor, row); }
  // Of a wave's task, whichever worker runs it.
  double* column(int64_t index) const {
    Carver carver(execution_.scratch.worker(static_cast<int>(index)));
    return WorkerSpace(carver, k_).column;
  }
  double* inverse(int64_t t) const { return shared_->inverses + t * kTile * kTile; }

  // The tiles of tile column t below the diagonal, and the part of the diagonal one below it, to the other side: from
  // the lower triangle to the upper one, or back.
  void mirror(int64_t t, bool to_upper) const {
    for (int64_t i = t; i < tiles_; ++i) {
      for (int64_t c = begin(t); c < begin(t) + size(t); ++c) {
        for (int64_t r = std::max(begin(i), c + 1); r < begin(i) + size(i); ++r) {
          (to_upper ? at(c)[r] : at(r)[c]) = to_upper ? at(r)[c] : at(c)[r];
        }
      }
    }
  }

  // The columns of every row, then the rows along the cycles of the permutation, a strip of columns a task.
  Status arrange_in_place() const {
    SCROOGE_RETURN_IF_ERROR(execution_.pool.parallel_for(tiles_, [&](int64_t t, int) { mirror(t, false); }));
    SCROOGE_RETURN_IF_ERROR(execution_.pool.parallel_for(tiles_, [&](int64_t t, int worker) {
      Carver carver(execution_.scratch.worker(worker));
      float* const row = WorkerSpace(carver, k_).row;
      for (int64_t a = begin(t); a < begin(t) + size(t); ++a) {
        for (int64_t b = 0; b < k_; ++b) row[b] = at(a)[channel(b)];
        std::copy_n(row, k_, at(a));
      }
    }));
    constexpr int64_t kStrip = 512;
    const std::vector<int64_t> starts = cycles();
    return execution_.pool.parallel_for((k_ + kStrip - 1) / kStrip, [&](int64_t index, int worker) {
      Carver carver(execution_.scratch.worker(worker));
      float* const first = WorkerSpace(carver, k_).row;
      const int64_t from = index * kStrip, count = std::min(kStrip, k_ - from);
      for (const int64_t start : starts) {
        std::copy_n(at(start) + from, count, first);
        int64_t a = start;
        for (; channel(a) != start; a = channel(a)) std::copy_n(at(channel(a)) + from, count, at(a) + from);
        std::copy_n(first, count, at(a) + from);
      }
    });
  }

  // An index of every cycle of the permutation that is longer than one.
  std::vector<int64_t> cycles() const {
    std::vector<int64_t> starts;
    std::vector<bool> seen(static_cast<size_t>(k_));
    for (int64_t start = 0; start < k_; ++start) {
      if (seen[static_cast<size_t>(start)]) continue;
      if (channel(start) != start) starts.push_back(start);
      for (int64_t a = start; !seen[static_cast<size_t>(a)]; a = channel(a)) seen[static_cast<size_t>(a)] = true;
    }
    return starts;
  }

  // Tile (i, t) of the reversed H; of a diagonal one the lower triangle.
  void load_gram(int64_t i, int64_t t, double* to) const {
    for (int64_t r = 0; r < size(i); ++r) {
      const float* from = at(begin(i) + r) + begin(t);
      const int64_t count = i == t ? r + 1 : size(t);
      for (int64_t c = 0; c < count; ++c) to[r * kTile + c] = from[c];
      if (i == t) to[r * kTile + r] += added_;
    }
  }
  // Where the remainder of L(row, column) is; that of the next column is before it.
  float* remainder(int64_t row, int64_t column) const { return at(k_ - 1 - row) + k_ - 1 - column; }
  void load_factor(int64_t i, int64_t column, int64_t width, double* to, int64_t stride) const {
    for (int64_t r = 0; r < size(i); ++r) {
      const float* value = at(begin(i) + r) + column;
      const float* rest = remainder(begin(i) + r, column);
      for (int64_t c = 0; c < width; ++c) {
        to[r * stride + c] = static_cast<double>(value[c]) + static_cast<double>(rest[-c]);
      }
    }
  }
  void store_factor(int64_t i, int64_t t, const double* tile, int64_t stride) const {
    for (int64_t r = 0; r < size(i); ++r) {
      float* value = at(begin(i) + r) + begin(t);
      float* rest = remainder(begin(i) + r, begin(t));
      for (int64_t c = 0; c < size(t); ++c) {
        const double exact = tile[r * stride + c];
        value[c] = static_cast<float>(exact);
        rest[-c] = static_cast<float>(exact - static_cast<double>(value[c]));
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

  // Tile column t of L^-1, from its diagonal down.
  Status invert_column(int64_t t, double* to, int worker) const {
    Carver carver(execution_.scratch.worker(worker));
    const WorkerSpace space(carver, k_);
    const int64_t n = size(t);
    for (int64_t r = 0; r < n; ++r) std::copy_n(inverse(t) + r * kTile, n, to + r * kTile);
    for (int64_t i = t + 1; i < tiles_; ++i) {
      SCROOGE_RETURN_IF_ERROR(execution_.check_cancelled(worker));
      std::fill(space.tile, space.tile + kTile * kTile, 0.0);
      for (int64_t column = begin(t); column < begin(i); column += kDepth) {
        const int64_t width = std::min(kDepth, begin(i) - column);
        load_factor(i, column, width, space.chunk, kDepth);
        DoubleProduct update = product(i, t, width, true);
        update.a = space.chunk;
        update.lda = kDepth;
        update.b = to + (column - begin(t)) * kTile;
        update.c = space.tile;
        multiply_ordered(update);
      }
      DoubleProduct solved = product(i, t, size(i), false);
      solved.a = inverse(i);
      solved.b = space.tile;
      solved.c = to + (begin(i) - begin(t)) * kTile;
      multiply_ordered(solved);
    }
    return {};
  }

  void store_inverse(int64_t t, const double* column) const {
    for (int64_t a = begin(t); a < k_; ++a) {
      const double* from = column + (a - begin(t)) * kTile;
      const int64_t count = std::min(size(t), a - begin(t) + 1);
      for (int64_t b = 0; b < count; ++b) at(a)[begin(t) + b] = static_cast<float>(from[b]);
    }
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
  const int64_t k = p.gram.rows;
  if (k == 0) return {};
  SCROOGE_RETURN_IF_ERROR(scratch_.prepare(gram_factor_shared_scratch(k), gram_factor_scratch(k)));
  Factorization factorization(p, execution());
  SCROOGE_RETURN_IF_ERROR(factorization.arrange());
  SCROOGE_ASSIGN_OR_RETURN(*p.positive_definite, factorization.factorize());
  if (!*p.positive_definite) return {};
  SCROOGE_RETURN_IF_ERROR(factorization.invert());
  return factorization.finish();
}

}  // namespace scrooge::backend::cpu
