// SPDX-License-Identifier: Apache-2.0
// Reading finished segments of an unfinished output back.
#include <algorithm>

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
  const auto cols = static_cast<size_t>(to.cols);
  const auto groups = static_cast<size_t>(format_.spec.groups(to.cols));
  // use(row, bytes of the canonical row)
  const auto each_row = [&](PlaneKind kind, const auto& use) -> Status {
    const PlaneRecord& plane = *tensor.plane(kind);
    const container::PlaneCodec codec(tensor.description, kind);
    const uint64_t rows = codec.rows(), row_bytes = codec.row_bytes(), step = codec.step().rows;
    const uint64_t at_once = std::max<uint64_t>(1, kTileBytes / row_bytes / step) * step;
    std::vector<std::byte> bytes;
    for (uint64_t first = 0; first < rows; first += at_once) {
      const uint64_t count = std::min(at_once, rows - first);
      bytes.resize(static_cast<size_t>(count * row_bytes));
      SCROOGE_RETURN_IF_ERROR(codec.read(
          {first, count, 0, row_bytes},
          [&](uint64_t offset, std::span<std::byte> out) { return writer_.read(plane.offset + offset, out); }, bytes));
      for (uint64_t row = 0; row < count; ++row) {
        SCROOGE_RETURN_IF_ERROR(
            use(first + row, std::span<const std::byte>(bytes).subspan(row * row_bytes, row_bytes)));
      }
    }
    return {};
  };
  std::vector<uint8_t> codes(cols);
  SCROOGE_RETURN_IF_ERROR(each_row(PlaneKind::kCodes, [&](uint64_t row, std::span<const std::byte> bytes) {
    unpack_bits(bytes, format_.spec.bits, codes);
    return device_->upload(*to.codes_buffer, row * cols, std::as_bytes(std::span(codes)));
  }));
  std::vector<float> values(static_cast<size_t>(to.rows) * groups);
  SCROOGE_RETURN_IF_ERROR(each_row(PlaneKind::kScales, [&](uint64_t row, std::span<const std::byte> bytes) {
    (void)container::convert_to_f32(bytes, format_.spec.scale_dtype, std::span(values).subspan(row * groups, groups));
    return Status();
  }));
  SCROOGE_RETURN_IF_ERROR(device_->upload(*to.scales_buffer, 0, std::as_bytes(std::span(values))));
  if (format_.spec.symmetric) {
    std::fill(values.begin(), values.end(), static_cast<float>(format_.spec.symmetric_zero()));
  } else {
    std::vector<uint8_t> zeros(groups);
    SCROOGE_RETURN_IF_ERROR(each_row(PlaneKind::kZeros, [&](uint64_t row, std::span<const std::byte> bytes) {
      unpack_bits(bytes, format_.spec.bits, zeros);
      std::copy(zeros.begin(), zeros.end(), values.begin() + static_cast<ptrdiff_t>(row * groups));
      return Status();
    }));
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
      if (kept.scales.size() != static_cast<size_t>(to.rows * format_.spec.groups(to.cols))) {
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
