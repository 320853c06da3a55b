// SPDX-License-Identifier: Apache-2.0
// y[T,N] = x[T,K] w[N,K]^T in pieces: w by rows that fit their part of the scratch as bf16, and for each of them x by
// rows that fit theirs. What is aligned f32 already is multiplied where it lies.
#include "backends/cuda/ops/operands.h"
#include "backends/cuda/ops/scratch_parts.h"
#include "src/backend/validate.h"

namespace scrooge::backend::cuda {
namespace {

class Gemm {
 public:
  Gemm(Work& work, const GemmParams& p) : work_(work), p_(p), bf16_(work.fast(p.precision)) {
    const uint64_t element = bf16_ ? 2 : 4;
    const PieceSizes& sizes = work.pieces();
    w_rows_ = piece_rows(p.w.rows, p.w.cols, element, sizes.weight_bytes, sizes.row_step);
    x_rows_ = piece_rows(p.x.rows, p.x.cols, element, sizes.input_bytes, sizes.row_step);
    copy_w_ = bf16_ || !is_aligned(p.w);
    copy_x_ = bf16_ || !is_aligned(p.x);
    copy_y_ = !is_aligned(p.y);
    if (copy_y_) x_rows_ = std::min(x_rows_, piece_rows(p.x.rows, w_rows_, 4, sizes.output_bytes, sizes.row_step));
  }

  Status run() {
    const uint64_t w_bytes = copy_w_ ? operand_bytes(w_rows_, p_.w.cols, bf16_) : 0;
    const uint64_t x_bytes = copy_x_ ? operand_bytes(x_rows_, p_.x.cols, bf16_) : 0;
    const uint64_t y_bytes = copy_y_ ? operand_bytes(x_rows_, w_rows_, false) : 0;
    ScratchCarver sizes;
    carve(sizes, w_bytes, x_bytes, y_bytes);
    if (sizes.used() > 0) {
      SCROOGE_ASSIGN_OR_RETURN(const CuAddress base, work_.scratch(sizes.used()));
      ScratchCarver carver(base);
      carve(carver, w_bytes, x_bytes, y_bytes);
    }
    for (int64_t n = 0; n < p_.w.rows; n += w_rows_) {
      const int64_t count = std::min(w_rows_, p_.w.rows - n);
      SCROOGE_ASSIGN_OR_RETURN(const Operand w, make_operand(work_, p_.w.row_range(n, count), bf16_, w_room_));
      for (int64_t t = 0; t < p_.x.rows; t += x_rows_) {
        SCROOGE_RETURN_IF_ERROR(work_.check_cancelled());
        SCROOGE_RETURN_IF_ERROR(piece(w, n, count, t, std::min(x_rows_, p_.x.rows - t)));
      }
    }
    return {};
  }

 private:
  void carve(ScratchCarver& carver, uint64_t w_bytes, uint64_t x_bytes, uint64_t y_bytes) {
    w_room_ = carver.take<std::byte>(static_cast<int64_t>(w_bytes));
    x_room_ = carver.take<std::byte>(static_cast<int64_t>(x_bytes));
    y_room_ = carver.take<std::byte>(static_cast<int64_t>(y_bytes));
  }

  Status piece(const Operand& w, int64_t n, int64_t n_count, int64_t t, int64_t t_count) {
    SCROOGE_ASSIGN_OR_RETURN(const Operand x, make_operand(work_, p_.x.row_range(t, t_count), bf16_, x_room_));
    const Matrix y = p_.y.row_range(t, t_count).col_range(n, n_count);
    Vector bias = p_.bias;
    if (bias) {
      bias.offset += static_cast<uint64_t>(n) * sizeof(float);
      bias.size = n_count;
    }
    Product product;
    product.type = bf16_ ? Product::Type::kBf16 : Product::Type::kF32;
    product.transpose_b = true;
    product.m = t_count;
    product.n = n_count;
    product.k = p_.x.cols;
    product.a = x.address;
    product.lda = x.stride;
    product.b = w.address;
    product.ldb = w.stride;
    if (copy_y_) {
      const Operand to{y_room_, padded(n_count)};
      product.c = to.address;
      product.ldc = to.stride;
      SCROOGE_RETURN_IF_ERROR(work_.multiply(product));
      return write_output(work_, to, y, bias, p_.beta != 0);
    }
    product.c = address_of(y.buffer, y.offset);
    product.ldc = y.stride;
    product.beta = p_.beta;
    if (bias) {
      SCROOGE_RETURN_IF_ERROR(write_output(work_, {}, y, bias, p_.beta != 0));
      product.beta = 1;
    }
    return work_.multiply(product);
  }

  Work& work_;
  const GemmParams& p_;
  const bool bf16_;
  int64_t w_rows_ = 0, x_rows_ = 0;
  bool copy_w_ = false, copy_x_ = false, copy_y_ = false;
  CuAddress w_room_ = 0, x_room_ = 0, y_room_ = 0;
};

}  // namespace

// With f32 copies of all three, and pieces that are not rounded down.
uint64_t gemm_scratch(int64_t n, int64_t k) {
  constexpr PieceSizes kSizes;
  const auto part = [](uint64_t bytes, int64_t cols) {
    return std::max(bytes, operand_bytes(kSizes.row_step, cols, false)) + 256;
  };
  return std::min(part(kSizes.weight_bytes, k), operand_bytes(n, k, false) + 256) + part(kSizes.input_bytes, k) +
         part(kSizes.output_bytes, n);
}

Status CudaDevice::gemm(const GemmParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  if (p.y.rows == 0 || p.y.cols == 0) return {};
  return run("gemm", {p.x.buffer, p.w.buffer, p.y.buffer, p.bias.buffer}, [&](Work& work) -> Status {
    if (p.x.cols == 0) return write_output(work, {}, p.y, p.bias, p.beta != 0);
    return Gemm(work, p).run();
  });
}

}  // namespace scrooge::backend::cuda
