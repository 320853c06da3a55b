// SPDX-License-Identifier: Apache-2.0
#include "src/container/plane_geometry.h"

#include <numeric>
#include <string_view>

#include "src/base/checked_size.h"
#include "src/container/text_check.h"

namespace scrooge::container {
namespace {

// Far beyond any model, and small enough that the signed arithmetic of QuantSpec cannot overflow.
constexpr uint64_t kMaxColumns = uint64_t{1} << 40;
constexpr uint64_t kPieceAlignment = 256;

template <typename... Parts>
Status fail(const TensorDescription& description, const Parts&... parts) {
  return error(StatusCode::kInvalidArgument, "tensor \"", printable(std::string_view(description.name).substr(0, 200)),
               "\": ", parts...);
}

Status check_description(const TensorDescription& description) {
  if (description.name.empty() || !is_storable_text(description.name)) {
    return fail(description, "the name is not UTF-8 text of 1 to ", kMaxTextBytes, " bytes");
  }
  if (description.rows == 0 || description.cols == 0 || description.cols > kMaxColumns) {
    return fail(description, "shape ", description.rows, " x ", description.cols, " is out of range");
  }
  if (description.kind != TensorKind::kQuantized) {
    if (description.kind != TensorKind::kDense && description.kind != TensorKind::kAuxiliary) {
      return fail(description, "kind ", static_cast<int>(description.kind), " is unknown");
    }
    if (dtype_size(description.dtype) == 0) {
      return fail(description, "dtype ", static_cast<int>(description.dtype), " is unknown");
    }
    if (description.input_scale) return fail(description, "only quantized tensors have an input_scale plane");
    return {};
  }
  const QuantSpec& spec = description.spec;
  if (Status status = spec.validate(); !status.ok()) return fail(description, status.message());
  if (spec.scale_dtype != DType::kF16 && spec.scale_dtype != DType::kBF16) {
    return fail(description, "scale dtype must be f16 or bf16");
  }
  if (range_rule_name(spec.range) == "unknown") {
    return fail(description, "range rule ", static_cast<int>(spec.range), " is unknown");
  }
  return {};
}

}  // namespace

uint64_t rows_per_piece(uint64_t row_bytes, uint64_t alignment) { return alignment / std::gcd(row_bytes, alignment); }

Result<std::vector<PlaneGeometry>> plane_geometry(const TensorDescription& description) {
  SCROOGE_RETURN_IF_ERROR(check_description(description));
  const auto k = static_cast<int64_t>(description.cols);
  std::vector<PlaneGeometry> planes;
  const auto add = [&](PlaneKind kind, CheckedSize row_bytes, uint64_t rows) {
    // An overflowing size becomes 0 and is refused below.
    planes.push_back({kind, row_bytes.value_or(0), rows, (row_bytes * rows).value_or(0)});
  };
  if (description.kind == TensorKind::kQuantized) {
    const QuantSpec& spec = description.spec;
    add(PlaneKind::kCodes, spec.code_row_bytes(k), description.rows);
    add(PlaneKind::kScales, CheckedSize(spec.groups(k)) * dtype_size(spec.scale_dtype), description.rows);
    if (!spec.symmetric) add(PlaneKind::kZeros, spec.zero_row_bytes(k), description.rows);
    if (description.input_scale) add(PlaneKind::kInputScale, CheckedSize(k) * dtype_size(DType::kF32), 1);
  } else {
    add(PlaneKind::kData, CheckedSize(k) * dtype_size(description.dtype), description.rows);
  }
  for (const PlaneGeometry& plane : planes) {
    if (plane.size == 0) return fail(description, "its ", plane_kind_name(plane.kind), " plane is too large");
    const CheckedSize piece = CheckedSize(rows_per_piece(plane.row_bytes, kPieceAlignment)) * plane.row_bytes;
    if (plane.size > kMaxPieceBytes && !piece.fits_in(kMaxPieceBytes)) {
      return fail(description, "rows of ", plane.row_bytes, " bytes cannot be divided into pieces of ", kMaxPieceBytes);
    }
  }
  return planes;
}

}  // namespace scrooge::container
