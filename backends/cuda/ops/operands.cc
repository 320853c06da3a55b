// SPDX-License-Identifier: Apache-2.0
#include "backends/cuda/ops/operands.h"

#include "backends/cuda/ops/elementwise.h"

namespace scrooge::backend::cuda {
namespace {

// Rows that are read and written four elements at a time where all of them allow it.
Span span_of_views(const Matrix& m, bool others_aligned) {
  Span span = span_of({&m}, false);
  if (!others_aligned) span.whole = 0;
  return span;
}

template <typename To>
Status launch_copy(Work& work, const char* kernel, const Matrix& from, const Operand& to, int64_t doubled_end) {
  const Span span = span_of_views(from, true);
  const OperandArguments<To> arguments{
      view<const float>(from), {to.address, from.rows, from.cols, to.stride}, span, doubled_end};
  return work.launch({"product", kernel}, shape_of(span), arguments);
}

}  // namespace

bool is_aligned(const Matrix& m) {
  const auto row = static_cast<uint64_t>(m.stride * dtype_size(m.dtype));
  return address_of(m.buffer, m.offset) % Blas::kAlignment == 0 && row % Blas::kAlignment == 0;
}

Result<Operand> make_operand(Work& work, const Matrix& from, bool bf16, CuAddress room, int64_t doubled_end) {
  if (!bf16 && doubled_end == 0 && is_aligned(from)) return Operand{address_of(from.buffer, from.offset), from.stride};
  const Operand to{room, padded(from.cols)};
  SCROOGE_RETURN_IF_ERROR(bf16 ? launch_copy<Bits16>(work, "scrooge_operand_bf16", from, to, doubled_end)
                               : launch_copy<float>(work, "scrooge_operand_f32", from, to, doubled_end));
  return to;
}

Status write_output(Work& work, const Operand& product, const Matrix& y, const Vector& bias, bool add,
                    bool upper_only) {
  const Span span = span_of_views(y, product.stride % 4 == 0);
  const OutputArguments arguments{{product.address, y.rows, y.cols, product.stride},
                                  view<float>(y),
                                  view<const float>(bias),
                                  span,
                                  add ? 1 : 0,
                                  upper_only ? 1 : 0};
  return work.launch({"product", "scrooge_output"}, shape_of(span), arguments);
}

int64_t piece_rows(int64_t rows, int64_t cols, uint64_t element, uint64_t bytes, int64_t step) {
  const uint64_t row = static_cast<uint64_t>(padded(cols)) * element;
  const int64_t most = std::max(step, static_cast<int64_t>(bytes / std::max<uint64_t>(row, 1)) / step * step);
  return std::min(rows, most);
}

}  // namespace scrooge::backend::cuda
