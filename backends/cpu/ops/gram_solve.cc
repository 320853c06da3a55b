// SPDX-License-Identifier: Apache-2.0
// x and y go through scratch in the order of the steps, 256 rows at a time: half = x U^T, then y = half U. Only the
// half of U that is not zero is multiplied: a panel of columns of the result is the product with a diagonal block, from
// a copy with zeros on the other side, plus that with what lies beside it. The library's products are of 128 rows
// always, zeros among them, since those of other numbers of rows may sum in another way. Tasks: 128 rows by a panel.
#include "backends/cpu/cpu_device.h"
#include "backends/cpu/ops/scratch_parts.h"
#include "src/backend/validate.h"

namespace scrooge::backend::cpu {
namespace {

constexpr int64_t kRows = 128;
constexpr int64_t kPiece = 2 * kRows;

// Narrow enough that the diagonal blocks are a small part of all.
int64_t panel_columns(int64_t k) { return std::clamp<int64_t>((k / 6 + 15) / 16 * 16, 96, 256); }

struct SharedSpace {
  SharedSpace(Carver& carver, int64_t k) {
    x = carver.take<float>(kPiece * k);
    half = carver.take<float>(kPiece * k);
  }
  float* x;  // [kPiece, k], then y
  float* half;
};

float* take_block(Carver& carver, int64_t k) {
  const int64_t panel = panel_columns(k);
  return carver.take<float>(panel * panel);
}

class GramSolve {
 public:
  GramSolve(const GramSolveParams& params, const Execution& execution)
      : p_(params), k_(params.x.cols), panels_(k_, panel_columns(k_), 16), execution_(execution) {
    Carver carver(execution.scratch.shared());
    const SharedSpace space(carver, k_);
    x_ = space.x;
    half_ = space.half;
  }

  Status run() {
    for (int64_t first = 0; first < p_.x.rows; first += kPiece) {
      const int64_t count = std::min(kPiece, p_.x.rows - first);
      SCROOGE_RETURN_IF_ERROR(gather(first, count));
      const int64_t tiles = (count + kRows - 1) / kRows;
      // The longest first.
      SCROOGE_RETURN_IF_ERROR(execution_.for_each(panels_.count * tiles, [&](int64_t index, int worker) {
        return multiply(index / tiles, index % tiles, true, worker);
      }));
      SCROOGE_RETURN_IF_ERROR(execution_.for_each(panels_.count * tiles, [&](int64_t index, int worker) {
        return multiply(panels_.count - 1 - index / tiles, index % tiles, false, worker);
      }));
      SCROOGE_RETURN_IF_ERROR(scatter(first, count));
    }
    return {};
  }

 private:
  Status gather(int64_t first, int64_t count) const {
    return execution_.for_each_row((count + kRows - 1) / kRows * kRows, k_, [&](int64_t r) {
      float* const to = x_ + r * k_;
      if (r >= count) {
        std::fill(to, to + k_, 0.0f);
        return;
      }
      const float* const from = row_of<float>(p_.x, first + r);
      for (int64_t i = 0; i < k_; ++i) to[i] = from[p_.order[static_cast<size_t>(i)]];
    });
  }
  Status scatter(int64_t first, int64_t count) const {
    return execution_.for_each_row(count, k_, [&](int64_t r) {
      const float* const from = x_ + r * k_;
      float* const to = row_of<float>(p_.y, first + r);
      for (int64_t i = 0; i < k_; ++i) to[p_.order[static_cast<size_t>(i)]] = from[i];
    });
  }

  // A panel of half = x U^T, or of y = half U.
  Status multiply(int64_t panel, int64_t tile, bool first_half, int worker) const {
    const int64_t begin = panels_.begin(panel), n = panels_.length(panel), end = begin + n;
    const float* const from = (first_half ? x_ : half_) + tile * kRows * k_;
    float* const to = (first_half ? half_ : x_) + tile * kRows * k_;
    Carver carver(execution_.scratch.worker(worker));
    float* const block = take_block(carver, k_);
    for (int64_t r = 0; r < n; ++r) {
      const float* const row = row_of<float>(p_.factor, begin + r) + begin;
      const int64_t cut = first_half ? r : r + 1;
      float* const row_of_block = block + r * n;
      std::fill(row_of_block, row_of_block + n, 0.0f);
      if (first_half) {
        std::copy(row + cut, row + n, row_of_block + cut);
      } else {
        std::copy(row, row + cut, row_of_block);
      }
    }
    Product product;
    product.transpose_b = true;
    product.m = kRows;
    product.n = n;
    product.k = n;
    product.a = from + begin;
    product.lda = k_;
    product.b = block;
    product.ldb = n;
    product.c = to + begin;
    product.ldc = k_;
    SCROOGE_RETURN_IF_ERROR(execution_.product.multiply(product));
    const int64_t other = first_half ? end : 0;
    product.k = first_half ? k_ - end : begin;
    if (product.k == 0) return {};
    product.a = from + other;
    product.b = row_of<float>(p_.factor, begin) + other;
    product.ldb = p_.factor.stride;
    product.beta = 1;
    return execution_.product.multiply(product);
  }

  const GramSolveParams& p_;
  const int64_t k_;
  const Tiling panels_;
  const Execution execution_;
  float* x_;
  float* half_;
};

}  // namespace

uint64_t gram_solve_shared_scratch(int64_t k) {
  Carver carver;
  const SharedSpace space(carver, k);
  return carver.used();
}

uint64_t gram_solve_scratch(int64_t k) {
  Carver carver;
  take_block(carver, k);
  return carver.used();
}

Status CpuDevice::gram_solve(const GramSolveParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  if (p.x.rows == 0 || p.x.cols == 0) return {};
  SCROOGE_RETURN_IF_ERROR(scratch_.prepare(gram_solve_shared_scratch(p.x.cols), gram_solve_scratch(p.x.cols)));
  return GramSolve(p, execution()).run();
}

}  // namespace scrooge::backend::cpu
