// SPDX-License-Identifier: Apache-2.0
// The quantized tensors of an output: from the device, in the order that the layout wants, region by region. What
// leaves the device takes little memory beside the budget.
#include <algorithm>
#include <cstring>

#include "src/pipeline/output_file.h"
#include "src/pipeline/stored_floats.h"
#include "src/tensor/pack_bits.h"

namespace scrooge::pipeline {

using container::PlaneCodec;
using container::PlaneKind;
using container::PlaneRegion;
using container::TensorDescription;

TensorDescription quantized_description(std::string name, const model::LinearPlan& linear, const OutputFormat& format) {
  TensorDescription description;
  description.name = std::move(name);
  description.rows = static_cast<uint64_t>(linear.rows);
  description.cols = static_cast<uint64_t>(linear.cols);
  description.kind = container::TensorKind::kQuantized;
  description.spec = format.spec;
  description.layout = format.layout;
  description.folded = format.with_scales;
  return description;
}

uint64_t OutputFile::device_bytes(const model::BlockPlan& plan, const OutputFormat& format) {
  uint64_t largest = 0;
  for (const model::LinearPlan& linear : plan.linears) {
    const PlaneCodec codes(quantized_description({}, linear, format), PlaneKind::kCodes);
    largest = std::max(largest, codes.largest_region(kTileBytes));
  }
  return largest;
}

uint64_t OutputFile::layout_bytes(const model::BlockPlan& plan, const OutputFormat& format) {
  uint64_t largest = 0;
  for (const model::LinearPlan& linear : plan.linears) {
    for (const PlaneKind kind : {PlaneKind::kCodes, PlaneKind::kScales}) {
      const PlaneCodec codec(quantized_description({}, linear, format), kind);
      largest = std::max(largest, codec.reordered_bytes(kTileBytes));
    }
  }
  return largest;
}

Status OutputFile::write_quantized(const TensorDescription& description, const awq::QuantizedLinear& linear) {
  SCROOGE_RETURN_IF_ERROR(writer_.begin_tensor(description));
  const auto write_plane = [&](PlaneKind kind, const auto& read) -> Status {
    const PlaneCodec codec(description, kind);
    SCROOGE_RETURN_IF_ERROR(writer_.begin_plane(kind));
    SCROOGE_RETURN_IF_ERROR(
        codec.write([&](const PlaneRegion& region, std::span<std::byte> out) { return read(codec, region, out); },
                    [&](std::span<const std::byte> bytes) { return writer_.append(bytes); }, kTileBytes));
    return writer_.end_plane();
  };
  SCROOGE_RETURN_IF_ERROR(write_plane(PlaneKind::kCodes, [&](const PlaneCodec&, const PlaneRegion& region, auto out) {
    return read_codes(linear, region, out);
  }));
  SCROOGE_RETURN_IF_ERROR(write_plane(PlaneKind::kScales, [&](const PlaneCodec&, const PlaneRegion& region, auto out) {
    return read_scales(linear, region, out);
  }));
  if (has_zeros(format_.spec, format_.layout)) {
    SCROOGE_RETURN_IF_ERROR(
        write_plane(PlaneKind::kZeros, [&](const PlaneCodec& codec, const PlaneRegion& region, auto out) -> Status {
          if (!format_.spec.symmetric) return read_zeros(linear, region, out);
          codec.symmetric_zeros(region, out);
          return {};
        }));
  }
  return writer_.end_tensor();
}

Status OutputFile::read_codes(const awq::QuantizedLinear& linear, const PlaneRegion& region, std::span<std::byte> out) {
  const auto row_bytes = static_cast<int64_t>(region.bytes);
  const int64_t first = static_cast<int64_t>(region.byte) * 8 / format_.spec.bits;
  const int64_t cols = std::min(row_bytes * 8 / format_.spec.bits, linear.cols - first);
  const auto rows = static_cast<int64_t>(region.rows);
  const backend::Matrix packed{packed_.get(), 0, rows, row_bytes, row_bytes, DType::kU8};
  const backend::Matrix codes = linear.codes().row_range(static_cast<int64_t>(region.row), rows).col_range(first, cols);
  SCROOGE_RETURN_IF_ERROR(device_->pack({codes, packed, format_.spec.bits}));
  return device_->download(*packed_, 0, out);
}

Status OutputFile::read_scales(const awq::QuantizedLinear& linear, const PlaneRegion& region,
                               std::span<std::byte> out) {
  std::vector<std::byte> bytes;
  return each_parameter_row(linear, *linear.scales_buffer, region, [&](uint64_t row, std::span<const float> values) {
    store_floats(values, format_.spec.scale_dtype, bytes);
    std::memcpy(&out[row * region.bytes], &bytes[region.byte], region.bytes);
  });
}

Status OutputFile::read_zeros(const awq::QuantizedLinear& linear, const PlaneRegion& region, std::span<std::byte> out) {
  const auto bits = static_cast<uint64_t>(format_.spec.bits);
  const uint64_t first = region.byte * 8 / bits;
  std::vector<uint8_t> codes;
  std::vector<uint8_t> packed(static_cast<size_t>(region.bytes));
  return each_parameter_row(linear, *linear.zeros_buffer, region, [&](uint64_t row, std::span<const float> values) {
    const uint64_t count = std::min<uint64_t>(region.bytes * 8 / bits, values.size() - first);
    codes.resize(static_cast<size_t>(count));
    for (size_t p = 0; p < codes.size(); ++p) codes[p] = static_cast<uint8_t>(values[first + p]);
    pack_bits(codes, format_.spec.bits, packed);
    std::memcpy(&out[row * region.bytes], packed.data(), packed.size());
  });
}

// Rows of scales or zeros [N,P]; `use` gets each with its number in the region.
Status OutputFile::each_parameter_row(const awq::QuantizedLinear& linear, const backend::Buffer& buffer,
                                      const PlaneRegion& region,
                                      const std::function<void(uint64_t row, std::span<const float>)>& use) {
  const auto groups = static_cast<uint64_t>(format_.spec.groups(linear.cols));
  const uint64_t row_bytes = groups * sizeof(float);
  const uint64_t at_once = std::max<uint64_t>(1, kTileBytes / row_bytes);
  std::vector<float> values;
  for (uint64_t done = 0; done < region.rows; done += at_once) {
    const uint64_t rows = std::min(at_once, region.rows - done);
    values.resize(static_cast<size_t>(rows * groups));
    SCROOGE_RETURN_IF_ERROR(
        device_->download(buffer, (region.row + done) * row_bytes, std::as_writable_bytes(std::span(values))));
    for (uint64_t row = 0; row < rows; ++row) use(done + row, std::span(values).subspan(row * groups, groups));
  }
  return {};
}

}  // namespace scrooge::pipeline
