// SPDX-License-Identifier: Apache-2.0
#include "src/container/plane_codec.h"

#include <algorithm>
#include <numeric>

namespace scrooge::container {

PlaneCodec::PlaneCodec(const TensorDescription& description, PlaneKind kind)
    : kind_(kind), layout_(description.layout), rows_(description.rows) {
  const QuantSpec& spec = description.spec;
  const auto k = static_cast<int64_t>(description.cols);
  const int64_t elements = kind == PlaneKind::kCodes ? k : spec.groups(k);
  const int64_t bits = kind == PlaneKind::kScales ? 8 * dtype_size(spec.scale_dtype) : spec.bits;
  elements_ = static_cast<uint64_t>(elements);
  row_bytes_ = static_cast<uint64_t>((elements * bits + 7) / 8);
  step_.rows = row_granule(layout_);
  if (layout_.id == LayoutId::kInterleaved) {
    chunk_ = kind == PlaneKind::kCodes ? layout_.chunk : kind == PlaneKind::kScales ? 2 : 1;
    step_.bytes = chunk_;
  }
  if (layout_.id == LayoutId::kAwq && kind == PlaneKind::kScales) step_.bytes = 2;
}

Status PlaneCodec::read(const PlaneRegion& region, const ReadStored& stored, std::span<std::byte> out) const {
  switch (layout_.id) {
    case LayoutId::kInterleaved: return read_interleaved(region, stored, out);
    case LayoutId::kAwq:
      return kind_ == PlaneKind::kScales ? read_transposed(region, stored, out) : read_words(region, stored, out);
    case LayoutId::kCanonical: break;
  }
  if (region.bytes == row_bytes_) return stored(region.row * row_bytes_, out);
  for (uint64_t row = 0; row < region.rows; ++row) {
    SCROOGE_RETURN_IF_ERROR(
        stored((region.row + row) * row_bytes_ + region.byte, out.subspan(row * region.bytes, region.bytes)));
  }
  return {};
}

// AutoAWQ's planes run along the rows of the matrix: a region has all of them and some columns. The others run along
// the columns.
PlaneRegion PlaneCodec::largest(uint64_t room, PlaneStep step) const {
  if (layout_.id == LayoutId::kAwq) {
    const uint64_t unit = std::lcm(std::lcm<uint64_t>(step_.bytes, step.bytes), 4);
    const uint64_t bytes = std::max(unit, room / rows_ / unit * unit);
    return {0, rows_, 0, std::min(bytes, row_bytes_)};
  }
  const uint64_t unit = std::max(step_.rows, step.rows);
  const uint64_t rows = std::max(unit, room / row_bytes_ / unit * unit);
  return {0, std::min(rows, rows_), 0, row_bytes_};
}

uint64_t PlaneCodec::reordered_bytes(uint64_t room, PlaneStep step) const {
  const PlaneRegion region = largest(room, step);
  switch (layout_.id) {
    case LayoutId::kInterleaved: return (region.rows + layout_.rows - 1) / layout_.rows * tile_bytes(row_bytes_);
    case LayoutId::kAwq: return region.size();
    case LayoutId::kCanonical: break;
  }
  return 0;
}

Status PlaneCodec::write(const ReadRegion& rows, const TakeStored& take, uint64_t room, PlaneStep step) const {
  const PlaneRegion most = largest(room, step);
  std::vector<std::byte> content;
  for (uint64_t row = 0; row < rows_; row += most.rows) {
    for (uint64_t byte = 0; byte < row_bytes_; byte += most.bytes) {
      const PlaneRegion region{row, std::min(most.rows, rows_ - row), byte, std::min(most.bytes, row_bytes_ - byte)};
      content.resize(region.size());
      SCROOGE_RETURN_IF_ERROR(rows(region, content));
      switch (layout_.id) {
        case LayoutId::kCanonical: SCROOGE_RETURN_IF_ERROR(take(content)); break;
        case LayoutId::kInterleaved: SCROOGE_RETURN_IF_ERROR(take_interleaved(region, content, take)); break;
        case LayoutId::kAwq:
          SCROOGE_RETURN_IF_ERROR(kind_ == PlaneKind::kScales ? take_transposed(region, content, take)
                                                              : take_words(region, content, take));
          break;
      }
    }
  }
  return {};
}

void PlaneCodec::symmetric_zeros(const PlaneRegion& region, std::span<std::byte> out) const {
  std::fill(out.begin(), out.end(), std::byte{0x88});
  if (elements_ % 2 == 0 || region.byte + region.bytes != row_bytes_) return;
  for (uint64_t row = 1; row <= region.rows; ++row) out[row * region.bytes - 1] = std::byte{0x08};
}

}  // namespace scrooge::container
