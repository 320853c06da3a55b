// SPDX-License-Identifier: Apache-2.0
#include "backends/cuda/ops/quadratic_form.h"

#include <algorithm>

namespace scrooge::backend::cuda {

QuadraticForm::QuadraticForm(Work& work, const Matrix& gram, int64_t n, bool bf16, ScratchCarver& carver)
    : work_(work), gram_(gram), bf16_(bf16) {
  const int64_t k = gram.cols;
  const PieceSizes& sizes = work.pieces();
  panel_ = std::min(k, sizes.panel);
  tile_rows_ = piece_rows(n, k, sizeof(float), sizes.error_bytes, sizes.row_step);
  uint64_t most = 0;
  for (int64_t panel = 0; panel < panels();) {
    uint64_t bytes = panel_bytes(panel);
    for (++panel; panel < panels() && bytes + panel_bytes(panel) <= sizes.gram_bytes; ++panel)
      bytes += panel_bytes(panel);
    most = std::max(most, bytes);
    pass_ends_.push_back(panel);
  }
  passes_ = static_cast<int>(pass_ends_.size());
  const int64_t stride = padded(k);
  errors_.values = {carver.take<float>(tile_rows_ * stride), tile_rows_, k, stride};
  if (bf16) errors_.rounded = {carver.take<Bits16>(tile_rows_ * stride), tile_rows_, k, stride};
  panel_room_ = carver.take<std::byte>(static_cast<int64_t>(most));
  product_ = carver.take<float>(tile_rows_ * padded(panel_));
}

uint64_t QuadraticForm::panel_bytes(int64_t index) const {
  return operand_bytes(panel_, std::min(gram_.cols, (index + 1) * panel_), bf16_);
}

uint64_t QuadraticForm::scratch_bytes(int64_t n, int64_t k) {
  constexpr PieceSizes kSizes;
  const int64_t rows = piece_rows(n, k, sizeof(float), kSizes.error_bytes, kSizes.row_step);
  const int64_t panel = std::min(k, kSizes.panel);
  const uint64_t errors = operand_bytes(rows, k, false) + operand_bytes(rows, k, true);
  const uint64_t panels = std::max(operand_bytes(panel, k, false),
                                   std::min(kSizes.gram_bytes, operand_bytes(ceil_div(k, panel) * panel, k, false)));
  return errors + panels + operand_bytes(rows, panel, false) + 4 * 256;
}

Status QuadraticForm::prepare(int pass) {
  ready_.clear();
  CuAddress room = panel_room_;
  const int64_t first = pass == 0 ? 0 : pass_ends_[static_cast<size_t>(pass) - 1];
  for (int64_t index = first; index < pass_ends_[static_cast<size_t>(pass)]; ++index) {
    Panel panel;
    panel.begin = index * panel_;
    panel.width = std::min(panel_, gram_.cols - panel.begin);
    // The columns of a symmetric matrix are its rows, which lie together.
    const Matrix rows = gram_.row_range(panel.begin, panel.width).col_range(0, panel.begin + panel.width);
    SCROOGE_ASSIGN_OR_RETURN(panel.operand, make_operand(work_, rows, bf16_, room, panel.begin));
    room += panel_bytes(index);
    ready_.push_back(panel);
  }
  return {};
}

Status QuadraticForm::add(int64_t rows, CuAddress sums) {
  for (const Panel& panel : ready_) {
    SCROOGE_RETURN_IF_ERROR(work_.check_cancelled());
    const int64_t stride = padded(panel.width);
    Product product;
    product.type = bf16_ ? Product::Type::kBf16 : Product::Type::kF32;
    product.transpose_b = true;
    product.m = rows;
    product.n = panel.width;
    product.k = panel.begin + panel.width;
    product.a = bf16_ ? errors_.rounded.address : errors_.values.address;
    product.lda = errors_.values.stride;
    product.b = panel.operand.address;
    product.ldb = panel.operand.stride;
    product.c = product_;
    product.ldc = stride;
    SCROOGE_RETURN_IF_ERROR(work_.multiply(product));
    const MatrixView<float>& values = errors_.values;
    const RowDotArguments arguments{{values.address, rows, values.cols, values.stride},
                                    {product_, rows, panel.width, stride},
                                    {sums, rows},
                                    panel.begin};
    SCROOGE_RETURN_IF_ERROR(
        work_.launch({"quadratic_form", "scrooge_row_dot"}, {128, rows, 1, 1, 32 * sizeof(double)}, arguments));
  }
  return {};
}

}  // namespace scrooge::backend::cuda
