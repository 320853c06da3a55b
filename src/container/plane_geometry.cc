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
  if (Status status = check_layout(description.layout, spec, description.rows); !status.ok()) {
    return fail(description, status.message());
  }
  return {};
}

struct PlaneRows {
  CheckedSize row_bytes;
  CheckedSize rows;
};

// A plane of `bits` per element, in canonical rows of `elements`, put in the order of the layout; the parts of an
// interleaved row are of `chunk` bytes.
PlaneRows in_layout(const TensorDescription& description, int64_t elements, int64_t bits, uint64_t chunk) {
  const CheckedSize canonical = (CheckedSize(elements) * bits).ceil_div(8);
  const uint64_t granule = row_granule(description.layout);
  switch (description.layout.id) {
    case LayoutId::kInterleaved:
      return {canonical.align_up(chunk) * granule, CheckedSize(description.rows).ceil_div(granule)};
    case LayoutId::kAwq: return {(CheckedSize(description.rows) * bits).ceil_div(8), elements};
    case LayoutId::kCanonical: break;
  }
  return {canonical, description.rows};
}

}  // namespace

uint64_t rows_per_piece(uint64_t row_bytes, uint64_t alignment) { return alignment / std::gcd(row_bytes, alignment); }

Result<std::vector<PlaneGeometry>> plane_geometry(const TensorDescription& description) {
  SCROOGE_RETURN_IF_ERROR(check_description(description));
  const auto k = static_cast<int64_t>(description.cols);
  std::vector<PlaneGeometry> planes;
  const auto add = [&](PlaneKind kind, const PlaneRows& plane) {
    // An overflowing size becomes 0 and is refused below.
    planes.push_back(
        {kind, plane.row_bytes.value_or(0), plane.rows.value_or(0), (plane.row_bytes * plane.rows).value_or(0)});
  };
  if (description.kind == TensorKind::kQuantized) {
    const QuantSpec& spec = description.spec;
    const int64_t scale_bits = 8 * dtype_size(spec.scale_dtype);
    add(PlaneKind::kCodes, in_layout(description, k, spec.bits, description.layout.chunk));
    add(PlaneKind::kScales, in_layout(description, spec.groups(k), scale_bits, 2));
    if (has_zeros(spec, description.layout)) {
      add(PlaneKind::kZeros, in_layout(description, spec.groups(k), spec.bits, 1));
    }
    if (description.input_scale) add(PlaneKind::kInputScale, {CheckedSize(k) * sizeof(float), 1});
  } else {
    add(PlaneKind::kData, {CheckedSize(k) * dtype_size(description.dtype), description.rows});
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
