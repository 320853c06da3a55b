// SPDX-License-Identifier: Apache-2.0
// Reading finished segments of an unfinished output back.
#include <algorithm>
#include <cstring>

#include "src/base/half.h"
#include "src/container/dequantize.h"
#include "src/pipeline/output_file.h"
#include "src/tensor/pack_bits.h"

namespace scrooge::pipeline {

using container::PlaneKind;
using container::PlaneRecord;
using container::TensorRecord;

namespace {

const TensorRecord* find_tensor(const container::ModelMetadata& segment, const std::string& name) {
  const auto found = std::find_if(segment.tensors.begin(), segment.tensors.end(),
                                  [&](const TensorRecord& tensor) { return tensor.description.name == name; });
  return found == segment.tensors.end() ? nullptr : &*found;
}

}  // namespace

Result<bool> OutputFile::adopt(const container::ModelMetadata& segment, CancelToken* cancel) {
  if (segment.segments.size() != 1 || next_ >= segments_.size() ||
      segment.segments.front().name != segments_[next_].name ||
      segment.tensors.size() != segments_[next_].tensors.size()) {
    return error(StatusCode::kBadModelFile,
                 "the journal of the unfinished output names other segments; start over with ", "--fresh");
  }
  for (size_t i = 0; i < segment.tensors.size(); ++i) {
    if (segment.tensors[i].description != segments_[next_].tensors[i]) {
      return error(StatusCode::kBadModelFile, "the journal of the unfinished output describes tensor ",
                   segments_[next_].tensors[i].name, " differently; start over with --fresh");
    }
  }
  SCROOGE_ASSIGN_OR_RETURN(const bool intact, writer_.adopt(segment, cancel));
  if (intact) ++next_;
  return intact;
}

// Codes, scales and zeros as the solver had them, but for the fold.
Status OutputFile::read_quantized(const TensorRecord& tensor, const awq::QuantizedLinear& to) const {
  const auto rows = static_cast<size_t>(to.rows);
  const auto cols = static_cast<size_t>(to.cols);
  const auto groups = static_cast<size_t>(spec_.groups(to.cols));
  const PlaneRecord& codes = *tensor.plane(PlaneKind::kCodes);
  std::vector<std::byte> bytes(static_cast<size_t>(codes.row_bytes));
  std::vector<uint8_t> row(cols);
  for (size_t n = 0; n < rows; ++n) {
    SCROOGE_RETURN_IF_ERROR(writer_.read(codes.offset + n * codes.row_bytes, bytes));
    unpack_bits(bytes, spec_.bits, row);
    SCROOGE_RETURN_IF_ERROR(device_->upload(*to.codes_buffer, n * cols, std::as_bytes(std::span(row))));
  }
  const PlaneRecord& scales = *tensor.plane(PlaneKind::kScales);
  std::vector<float> values(rows * groups);
  bytes.resize(static_cast<size_t>(scales.size));
  SCROOGE_RETURN_IF_ERROR(writer_.read(scales.offset, bytes));
  (void)container::convert_to_f32(bytes, spec_.scale_dtype, values);
  SCROOGE_RETURN_IF_ERROR(device_->upload(*to.scales_buffer, 0, std::as_bytes(std::span(values))));
  if (spec_.symmetric) {
    std::fill(values.begin(), values.end(), static_cast<float>(spec_.symmetric_zero()));
  } else {
    const PlaneRecord& zeros = *tensor.plane(PlaneKind::kZeros);
    bytes.resize(static_cast<size_t>(zeros.size));
    SCROOGE_RETURN_IF_ERROR(writer_.read(zeros.offset, bytes));
    std::vector<uint8_t> unpacked(groups);
    for (size_t n = 0; n < rows; ++n) {
      unpack_bits(std::span(bytes).subspan(n * zeros.row_bytes, zeros.row_bytes), spec_.bits, unpacked);
      std::copy(unpacked.begin(), unpacked.end(), values.begin() + static_cast<ptrdiff_t>(n * groups));
    }
  }
  return device_->upload(*to.zeros_buffer, 0, std::as_bytes(std::span(values)));
}

Result<FinishedBlock> OutputFile::finished_block(int64_t block, const container::ModelMetadata& segment,
                                                 std::span<const UnfoldedScales> unfolded) const {
  FinishedBlock result;
  const model::BlockPlan& plan = source_->block_plan();
  for (const model::StagePlan& stage : plan.stages) {
    const TensorRecord* const tensor = find_tensor(segment, scale_tensor_name(block, stage.name));
    if (tensor == nullptr) return error(StatusCode::kBadModelFile, "the journal lacks the scale of a stage");
    std::vector<float>& scale = result.scales.emplace_back(static_cast<size_t>(stage.input));
    SCROOGE_RETURN_IF_ERROR(writer_.read(tensor->planes.front().offset, std::as_writable_bytes(std::span(scale))));
  }
  result.load = [this, block, &segment, unfolded](size_t linear, const awq::QuantizedLinear& to) -> Status {
    const std::string name = concat(model::block_prefix(block), source_->block_plan().linears[linear].name, ".weight");
    SCROOGE_RETURN_IF_ERROR(read_quantized(*find_tensor(segment, name), to));
    for (const UnfoldedScales& kept : unfolded) {
      if (kept.linear != linear) continue;
      if (kept.scales.size() != static_cast<size_t>(to.rows * spec_.groups(to.cols))) {
        return error(StatusCode::kBadModelFile, name,
                     ": the journal holds scales of another size; start over with --fresh");
      }
      SCROOGE_RETURN_IF_ERROR(device_->upload(*to.scales_buffer, 0, std::as_bytes(std::span(kept.scales))));
    }
    return {};
  };
  return result;
}

}  // namespace scrooge::pipeline
