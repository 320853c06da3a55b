// SPDX-License-Identifier: Apache-2.0
#include "backends/vulkan/windows.h"

#include "backends/vulkan/vulkan_device.h"

namespace scrooge::backend::vulkan {
namespace {

uint64_t span_bytes(int64_t rows, int64_t cols, int64_t stride, int64_t element) {
  return rows == 0 || cols == 0 ? 0 : static_cast<uint64_t>(((rows - 1) * stride + cols) * element);
}

}  // namespace

Windows::Windows(const PhysicalDevice& device)
    : alignment_(std::max<uint64_t>(device.limits.minStorageBufferOffsetAlignment, 4)),
      room_(device.range - alignment_) {}

Window Windows::of(const Matrix& m) const {
  const int64_t element = dtype_size(m.dtype);
  const uint64_t begin = m.offset / alignment_ * alignment_;
  const uint64_t end = m.offset + std::max<uint64_t>(span_bytes(m.rows, m.cols, m.stride, element), 1);
  return {
      {&static_cast<VulkanBuffer*>(m.buffer)->memory(), begin, (end - begin + 3) / 4 * 4},
      {static_cast<uint32_t>((m.offset - begin) / static_cast<uint64_t>(element)), static_cast<uint32_t>(m.stride)}};
}

Window Windows::of(const Matrix& m, const Piece& piece) const {
  return of(m.row_range(piece.row, piece.rows).col_range(piece.col, piece.cols));
}

Window Windows::of(const Vector& v) const { return of(v, 0, v.size); }

Window Windows::of(const Vector& v, int64_t begin, int64_t count) const {
  const uint64_t offset = v.offset + static_cast<uint64_t>(begin * dtype_size(v.dtype));
  return of(Matrix{v.buffer, offset, 1, count, count, v.dtype});
}

int64_t Windows::rows_that_fit(const Matrix& m) const {
  const auto room = static_cast<int64_t>(room_) / dtype_size(m.dtype);
  if (m.cols > room) return 0;
  return m.stride == 0 ? m.rows : (room - m.cols) / m.stride + 1;
}

Status Windows::require_row(const char* op, const Matrix& m) const {
  if (m.rows == 0 || rows_that_fit(m) >= 1) return {};
  return error(StatusCode::kUnsupported, op, ": a row of ", m.cols, " elements is beyond the ", room_,
               " bytes that this device shows a shader at once; use another device");
}

Piece Windows::largest(int64_t rows, int64_t cols, std::initializer_list<const Matrix*> matrices,
                       int64_t rows_per_group) const {
  Piece step{0, std::max<int64_t>(std::min(rows, kMostGroups * rows_per_group), 1), 0, std::max<int64_t>(cols, 1)};
  for (const Matrix* m : matrices) {
    step.cols = std::min(step.cols, static_cast<int64_t>(room_) / dtype_size(m->dtype));
  }
  for (const Matrix* m : matrices) {
    Matrix part = *m;
    part.cols = std::min(part.cols, step.cols);
    step.rows = std::min(step.rows, std::max<int64_t>(rows_that_fit(part), 1));
  }
  return step;
}

}  // namespace scrooge::backend::vulkan
