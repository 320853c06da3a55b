// SPDX-License-Identifier: Apache-2.0
#include "src/awq/quantized_linear.h"

#include "src/tensor/quantize_math.h"

namespace scrooge::awq {

uint64_t QuantizedLinear::device_bytes(int64_t rows, int64_t cols, const QuantSpec& spec) {
  return static_cast<uint64_t>(rows * cols) + static_cast<uint64_t>(2 * rows * spec.groups(cols)) * sizeof(float);
}

Result<QuantizedLinear> QuantizedLinear::create(backend::Device& device, int64_t rows, int64_t cols,
                                                const QuantSpec& spec) {
  QuantizedLinear linear;
  linear.rows = rows;
  linear.cols = cols;
  linear.spec = spec;
  const uint64_t parameter_bytes = static_cast<uint64_t>(rows * spec.groups(cols)) * sizeof(float);
  SCROOGE_ASSIGN_OR_RETURN(linear.codes_buffer, device.allocate(static_cast<uint64_t>(rows * cols), "codes"));
  SCROOGE_ASSIGN_OR_RETURN(linear.scales_buffer, device.allocate(parameter_bytes, "group scales"));
  SCROOGE_ASSIGN_OR_RETURN(linear.zeros_buffer, device.allocate(parameter_bytes, "group zeros"));
  return linear;
}

Status fold_rows(backend::Device& device, std::span<const float> s, QuantizedLinear& linear) {
  const auto groups = static_cast<size_t>(linear.spec.groups(linear.cols));
  std::vector<float> scales(static_cast<size_t>(linear.rows) * groups);
  SCROOGE_RETURN_IF_ERROR(device.download(*linear.scales_buffer, 0, std::as_writable_bytes(std::span(scales))));
  for (size_t i = 0; i < scales.size(); ++i) {
    scales[i] = round_scale(scales[i] / s[i / groups], linear.spec.scale_dtype);
  }
  return device.upload(*linear.scales_buffer, 0, std::as_bytes(std::span(scales)));
}

}  // namespace scrooge::awq
