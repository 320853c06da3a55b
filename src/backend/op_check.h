// SPDX-License-Identifier: Apache-2.0
// OpCheck: collects the first thing that is wrong with the arguments of one op, in words that name op and argument.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "src/backend/device.h"
#include "src/backend/op_params.h"
#include "src/base/checked_size.h"

namespace scrooge::backend {

namespace check_internal {

// A byte range repeated `rows` times, `step` bytes apart.
struct Strips {
  int64_t begin, width, rows, step;
};

// REQUIRES: m lies inside its buffer.
inline Strips strips_of(const Matrix& m) {
  const int64_t size = dtype_size(m.dtype);
  if (m.rows <= 1 || m.stride == m.cols) return {static_cast<int64_t>(m.offset), m.rows * m.cols * size, 1, 0};
  return {static_cast<int64_t>(m.offset), m.cols * size, m.rows, m.stride * size};
}

// Exact for equal steps or a contiguous side; other combinations are taken as apart, so that nothing legal is refused.
inline bool overlap(const Matrix& x, const Matrix& y) {
  if (x.buffer != y.buffer || x.rows * x.cols == 0 || y.rows * y.cols == 0) return false;
  Strips a = strips_of(x);
  Strips b = strips_of(y);
  if (a.rows == 1) a.step = b.step;
  if (b.rows == 1) b.step = a.step;
  if (a.step != b.step) return false;
  const int64_t delta = b.begin - a.begin;
  if (a.step == 0) return delta < a.width && -delta < b.width;
  // Row r of a meets row s of b when (r - s) * step lies in (delta - a.width, delta + b.width).
  const int64_t low = delta - a.width;
  const int64_t first = low >= 0 ? low / a.step + 1 : -((-low - 1) / a.step);  // floor(low / step) + 1
  const int64_t lines_apart = std::max(first, 1 - b.rows);
  return lines_apart <= a.rows - 1 && lines_apart * a.step < delta + b.width;
}

inline bool same_place(const Matrix& x, const Matrix& y) {
  return x.buffer == y.buffer && x.offset == y.offset && x.rows == y.rows && x.cols == y.cols && x.dtype == y.dtype &&
         (x.stride == y.stride || x.rows <= 1);
}

}  // namespace check_internal

// Keeps the first failure; later checks are then skipped. All failures are kInvalidArgument. Not thread-safe.
class OpCheck {
 public:
  explicit OpCheck(std::string_view op) : op_(op) {}

  // A matrix of `dtype` that lies inside its buffer.
  OpCheck& matrix(std::string_view name, const Matrix& m, DType dtype = DType::kF32) {
    if (!require(m.dtype == dtype, name, " is ", dtype_name(m.dtype), ", expected ", dtype_name(dtype))) return *this;
    return matrix_of_any_type(name, m);
  }
  OpCheck& matrix_of_any_type(std::string_view name, const Matrix& m) {
    if (!require(m.buffer != nullptr, name, " has no buffer")) return *this;
    if (!require(m.rows >= 0 && m.cols >= 0, name, " has ", m.rows, " rows and ", m.cols, " columns")) return *this;
    if (!require(m.stride >= m.cols, name, " has row stride ", m.stride, " below its ", m.cols, " columns"))
      return *this;
    const CheckedSize elements =
        m.rows == 0 || m.cols == 0 ? CheckedSize(0) : CheckedSize(m.rows - 1) * m.stride + m.cols;
    return place(name, m.buffer, m.offset, elements * dtype_size(m.dtype), dtype_size(m.dtype));
  }
  // A vector of f32 with `size` elements that lies inside its buffer.
  OpCheck& vector(std::string_view name, const Vector& v, int64_t size) {
    if (!require(v.buffer != nullptr, name, " has no buffer")) return *this;
    if (!require(v.dtype == DType::kF32, name, " is ", dtype_name(v.dtype), ", expected f32")) return *this;
    if (!require(v.size == size, name, " has ", v.size, " elements, expected ", size)) return *this;
    return place(name, v.buffer, v.offset, CheckedSize(v.size) * dtype_size(v.dtype), dtype_size(v.dtype));
  }
  OpCheck& optional_vector(std::string_view name, const Vector& v, int64_t size) {
    return v ? vector(name, v, size) : *this;
  }
  OpCheck& rows(std::string_view name, const Matrix& m, std::string_view other_name, int64_t expected) {
    require(m.rows == expected, name, " has ", m.rows, " rows, ", other_name, " has ", expected);
    return *this;
  }
  OpCheck& cols(std::string_view name, const Matrix& m, std::string_view other_name, int64_t expected) {
    require(m.cols == expected, name, " has ", m.cols, " columns, ", other_name, " has ", expected);
    return *this;
  }
  OpCheck& square(std::string_view name, const Matrix& m) {
    require(m.rows == m.cols, name, " has ", m.rows, " rows and ", m.cols, " columns");
    return *this;
  }
  OpCheck& same_shape(std::string_view name, const Matrix& m, std::string_view other_name, const Matrix& other) {
    return rows(name, m, other_name, other.rows).cols(name, m, other_name, other.cols);
  }
  // The output shares no byte with the input.
  OpCheck& apart(std::string_view out_name, const Matrix& out, std::string_view in_name, const Matrix& in) {
    if (status_.ok()) require(!check_internal::overlap(out, in), out_name, " overlaps ", in_name);
    return *this;
  }
  OpCheck& apart(std::string_view out_name, const Matrix& out, std::string_view in_name, const Vector& in) {
    return in ? apart(out_name, out, in_name, Matrix{in.buffer, in.offset, 1, in.size, in.size, in.dtype}) : *this;
  }
  // The output is the input itself, or shares no byte with it.
  OpCheck& apart_or_same(std::string_view out_name, const Matrix& out, std::string_view in_name, const Matrix& in) {
    if (!status_.ok() || check_internal::same_place(out, in)) return *this;
    require(!check_internal::overlap(out, in), out_name, " overlaps ", in_name, " without being the same matrix");
    return *this;
  }
  OpCheck& spec(const QuantSpec& spec) {
    if (!status_.ok()) return *this;
    status_ = spec.validate().with_context(op_);
    require(spec.scale_dtype == DType::kF32 || spec.scale_dtype == DType::kF16 || spec.scale_dtype == DType::kBF16,
            "scale_dtype is ", dtype_name(spec.scale_dtype), ", expected f16, bf16 or f32");
    return *this;
  }
  // A per-group plane [N, P] of w[N, K].
  OpCheck& plane(std::string_view name, const Matrix& m, const Matrix& w, const QuantSpec& spec) {
    matrix(name, m).rows(name, m, "w", w.rows);
    if (!status_.ok()) return *this;
    const int64_t groups = spec.groups(w.cols);
    require(m.cols == groups, name, " has ", m.cols, " columns, w has ", groups, " groups per row");
    return *this;
  }
  // Every number in [0, size) once.
  OpCheck& permutation(std::string_view name, std::span<const int32_t> order, int64_t size) {
    const auto count = static_cast<int64_t>(order.size());
    if (!require(count == size, name, " has ", count, " elements, expected ", size)) return *this;
    std::vector<bool> seen(order.size());
    for (const int32_t value : order) {
      const bool fresh = value >= 0 && value < size && !seen[static_cast<size_t>(value)];
      if (!require(fresh, name, " is not a permutation of 0 to ", size - 1, ": ", value,
                   " is out of range or repeated"))
        return *this;
      seen[static_cast<size_t>(value)] = true;
    }
    return *this;
  }
  // False when this or an earlier requirement failed. REQUIRES: parts make a phrase that follows "op: ".
  template <typename... Parts>
  bool require(bool condition, const Parts&... parts) {
    if (status_.ok() && !condition) status_ = error(StatusCode::kInvalidArgument, op_, ": ", parts...);
    return status_.ok();
  }
  Status take() { return std::move(status_); }

 private:
  OpCheck& place(std::string_view name, const Buffer* buffer, uint64_t offset, CheckedSize bytes, int64_t element) {
    require(offset % static_cast<uint64_t>(element) == 0, name, " has byte offset ", offset, ", not a multiple of ",
            element);
    require(CheckedSize(offset).range_fits(bytes, buffer->size()), name, " at byte offset ", offset,
            " does not fit its buffer of ", buffer->size(), " bytes");
    return *this;
  }

  std::string_view op_;
  Status status_;
};

}  // namespace scrooge::backend
