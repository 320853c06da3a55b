// SPDX-License-Identifier: Apache-2.0
#include "backends/cpu/quadratic_form.h"

#include "backends/cpu/simd/convert_row.h"
#include "backends/cpu/simd/math_row.h"

namespace scrooge::backend::cpu {
namespace {

// Up to 128 columns the halved product would be too thin to pay.
Tiling column_blocks(int64_t k) { return k <= 128 ? Tiling(k, k, 1) : Tiling(k, 192, 16); }

struct Workspace {
  Workspace(Carver& carver, int64_t rows, int64_t k, bool fast) {
    const int64_t width = column_blocks(k).size;
    y = carver.take<float>(rows * width);
    if (!fast) return;
    e = carver.take<uint16_t>(rows * k);
    panel = carver.take<uint16_t>(k * width);
  }
  float* y = nullptr;
  uint16_t* e = nullptr;      // bf16 of e
  uint16_t* panel = nullptr;  // bf16 of the columns J of G, the rows above the diagonal block doubled
};

Status exact_block(const Execution& execution, const QuadraticForm& form, int64_t begin, int64_t width, float* y) {
  Product product;
  product.m = form.rows;
  product.n = width;
  product.lda = form.k;
  product.ldb = form.gram_stride;
  product.c = y;
  product.ldc = width;
  if (begin > 0) {
    product.k = begin;
    product.a = form.e;
    product.b = form.gram + begin;
    product.alpha = 2;
    SCROOGE_RETURN_IF_ERROR(execution.product.multiply(product));
    product.alpha = 1;
    product.beta = 1;
  }
  product.k = width;
  product.a = form.e + begin;
  product.b = form.gram + begin * form.gram_stride + begin;
  return execution.product.multiply(product);
}

Status fast_block(const Execution& execution, int worker, const QuadraticForm& form, int64_t begin, int64_t width,
                  const Workspace& space) {
  for (int64_t r = 0; r < begin; ++r) {
    doubled_to_bf16_row(form.gram + r * form.gram_stride + begin, space.panel + r * width, width);
  }
  for (int64_t r = begin; r < begin + width; ++r) {
    float_to_bf16_row(form.gram + r * form.gram_stride + begin, space.panel + r * width, width);
  }
  Bf16Product product;
  product.m = form.rows;
  product.n = width;
  product.k = begin + width;
  product.a = space.e;
  product.lda = form.k;
  product.b = space.panel;
  product.ldb = width;
  product.c = space.y;
  product.ldc = width;
  return execution.product.multiply_bf16(product, worker);
}

}  // namespace

int64_t quadratic_form_rows(int64_t k) {
  constexpr int64_t kElements = 192 * 2048;
  return std::clamp<int64_t>(kElements / std::max<int64_t>(k, 1) / 16 * 16, 48, 192);
}

uint64_t quadratic_form_scratch(int64_t rows, int64_t k, bool fast) {
  Carver carver;
  const Workspace space(carver, rows, k, fast);
  return carver.used();
}

Status quadratic_form(const Execution& execution, int worker, const QuadraticForm& form, std::byte* scratch,
                      double* out) {
  Carver carver(scratch);
  const Workspace space(carver, form.rows, form.k, form.fast);
  const Tiling blocks = column_blocks(form.k);
  if (form.fast) float_to_bf16_row(form.e, space.e, form.rows * form.k);
  std::fill(out, out + form.rows, 0.0);
  for (int64_t block = 0; block < blocks.count; ++block) {
    const int64_t begin = blocks.begin(block);
    const int64_t width = blocks.length(block);
    SCROOGE_RETURN_IF_ERROR(execution.check_cancelled(worker));
    SCROOGE_RETURN_IF_ERROR(form.fast ? fast_block(execution, worker, form, begin, width, space)
                                      : exact_block(execution, form, begin, width, space.y));
    for (int64_t r = 0; r < form.rows; ++r) {
      out[r] += dot_f64(space.y + r * width, form.e + r * form.k + begin, width);
    }
  }
  return {};
}

}  // namespace scrooge::backend::cpu
