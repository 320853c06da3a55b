// SPDX-License-Identifier: Apache-2.0
// gram[M,K] += a[T,M]^T b[T,K]. Tokens in pieces of at most 2048, which bounds the length of the products' f32 sums;
// each piece is added into gram. The symmetric form goes by panels of columns: what lies above the panel's diagonal
// block straight into gram, the block itself by way of the scratch, for only its upper half is wanted.
#include "backends/cuda/ops/mirror.h"
#include "backends/cuda/ops/operands.h"
#include "backends/cuda/ops/scratch_parts.h"
#include "src/backend/validate.h"

namespace scrooge::backend::cuda {
namespace {

class Gram {
 public:
  Gram(Work& work, const GramAccumulateParams& p)
      : work_(work), p_(p), bf16_(work.fast(p.precision)), direct_(is_aligned(p.gram)), panel_(work.pieces().panel) {}

  Status run() {
    const int64_t tokens = std::min(work_.pieces().tokens, p_.a.rows);
    ScratchCarver sizes;
    carve(sizes, tokens);
    SCROOGE_ASSIGN_OR_RETURN(const CuAddress base, work_.scratch(sizes.used()));
    ScratchCarver carver(base);
    carve(carver, tokens);
    for (int64_t first = 0; first < p_.a.rows; first += tokens) {
      const int64_t count = std::min(tokens, p_.a.rows - first);
      SCROOGE_ASSIGN_OR_RETURN(const Operand a, make_operand(work_, p_.a.row_range(first, count), bf16_, a_room_));
      Operand b = a;
      if (!p_.symmetric) {
        SCROOGE_ASSIGN_OR_RETURN(b, make_operand(work_, p_.b.row_range(first, count), bf16_, b_room_));
      }
      for (int64_t begin = 0; begin < p_.gram.cols; begin += panel_) {
        SCROOGE_RETURN_IF_ERROR(work_.check_cancelled());
        const int64_t width = std::min(panel_, p_.gram.cols - begin);
        const int64_t above = p_.symmetric ? begin : p_.gram.rows;
        SCROOGE_RETURN_IF_ERROR(add(a, b, count, 0, above, begin, width, false));
        if (p_.symmetric) SCROOGE_RETURN_IF_ERROR(add(a, b, count, begin, width, begin, width, true));
      }
    }
    return {};
  }

 private:
  void carve(ScratchCarver& carver, int64_t tokens) {
    const auto room_for = [&](const Matrix& m) {
      const bool copied = bf16_ || !is_aligned(m);
      return carver.take<std::byte>(copied ? static_cast<int64_t>(operand_bytes(tokens, m.cols, bf16_)) : 0);
    };
    a_room_ = room_for(p_.a);
    if (!p_.symmetric) b_room_ = room_for(p_.b);
    sums_ = carver.take<float>(std::min(panel_, p_.gram.rows) * padded(std::min(panel_, p_.gram.cols)));
  }

  // Rows and columns of gram; the scratch holds the sums of one square of it.
  Status add(const Operand& a, const Operand& b, int64_t tokens, int64_t row, int64_t rows, int64_t column,
             int64_t width, bool upper_only) {
    const bool straight = direct_ && !upper_only;
    const int64_t step = straight ? rows : panel_;
    for (int64_t end = row + rows; row < end; row += step) {
      const int64_t count = std::min(step, end - row);
      const Matrix to = p_.gram.row_range(row, count).col_range(column, width);
      const int64_t element = bf16_ ? 2 : 4;
      Product product;
      product.type = bf16_ ? Product::Type::kBf16 : Product::Type::kF32;
      product.transpose_a = true;
      product.m = count;
      product.n = width;
      product.k = tokens;
      product.a = a.address + static_cast<uint64_t>(row * element);
      product.lda = a.stride;
      product.b = b.address + static_cast<uint64_t>(column * element);
      product.ldb = b.stride;
      product.c = straight ? address_of(to.buffer, to.offset) : sums_;
      product.ldc = straight ? to.stride : padded(width);
      product.beta = straight ? 1 : 0;
      SCROOGE_RETURN_IF_ERROR(work_.multiply(product));
      if (!straight) SCROOGE_RETURN_IF_ERROR(write_output(work_, {sums_, product.ldc}, to, {}, true, upper_only));
    }
    return {};
  }

  Work& work_;
  const GramAccumulateParams& p_;
  const bool bf16_;
  const bool direct_;
  const int64_t panel_;
  CuAddress a_room_ = 0, b_room_ = 0, sums_ = 0;
};

}  // namespace

// The general form with f32 copies of both operands.
uint64_t gram_accumulate_scratch(int64_t k) {
  const int64_t panel = std::min(kPieceSizes.panel, padded(k));
  return 2 * operand_bytes(kPieceSizes.tokens, k, false) + static_cast<uint64_t>(panel * panel) * sizeof(float) +
         3 * 256;
}

Status CudaDevice::gram_accumulate(const GramAccumulateParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  if (p.gram.rows == 0 || p.gram.cols == 0) return {};
  return run("gram_accumulate", {p.a.buffer, p.b.buffer, p.gram.buffer}, [&](Work& work) -> Status {
    if (p.a.rows > 0) SCROOGE_RETURN_IF_ERROR(Gram(work, p).run());
    return p.mirror ? mirror(work, p.gram) : Status();
  });
}

}  // namespace scrooge::backend::cuda
