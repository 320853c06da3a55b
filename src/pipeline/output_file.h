// SPDX-License-Identifier: Apache-2.0
// The .scrooge file of a job: which segments and tensors it has, and how each is written. The plan and the writing walk
// the same list, so they cannot differ.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "src/container/layout_plan.h"
#include "src/container/model_writer.h"
#include "src/container/plane_codec.h"
#include "src/pipeline/block_quantizer.h"

namespace scrooge::pipeline {

// What the quantized tensors of a job are like.
struct OutputFormat {
  QuantSpec spec;
  container::TensorLayout layout;
  bool with_scales = false;  // blocks carry the AWQ scale vectors
};

// Segments in file order: raw files, embedding, blocks, final norm and rotary frequencies, head.
std::vector<container::SegmentPlan> output_segments(const ModelSource& source, const OutputFormat& format);

container::TensorDescription quantized_description(std::string name, const model::LinearPlan& linear,
                                                   const OutputFormat& format);

// How many of them come before the first block.
size_t front_segment_count(std::span<const container::SegmentPlan> segments);

// "awq_w4_g128_headfp16"; per-channel is "gchannel", symmetric adds "_sym", bf16 scales "_sbf16".
std::string output_tag(std::string_view method, const QuantSpec& spec, DType head);

std::string scale_tensor_name(int64_t block, std::string_view stage);

// Writes segment after segment in the order of output_segments(). One thread.
class OutputFile {
 public:
  // Device bytes of the packing buffer: a region of the widest linear.
  static uint64_t device_bytes(const model::BlockPlan& plan, const OutputFormat& format);
  // Host bytes outside the budget that putting regions in the layout's order takes; none in the canonical one.
  static uint64_t layout_bytes(const model::BlockPlan& plan, const OutputFormat& format);
  // Into a new file, or one that an earlier process left (base/atomic_file.h).
  static Result<OutputFile> create(AtomicFile file, backend::Device& device, const ModelSource& source,
                                   const OutputFormat& format);

  Status reserve(uint64_t bytes) { return writer_.reserve(bytes); }
  // The next segment is one before the first block: a raw file or the embedding table.
  bool at_front() const { return next_ < front_; }
  // Writes it. REQUIRES: at_front().
  Status write_front_segment();
  Status write_block(int64_t block, const BlockOutcome& outcome);

  // Of the segment written last; of a finished one, ModelWriter::adopt().
  container::ModelMetadata last_segment() const { return writer_.last_segment(); }
  Status sync() { return writer_.sync(); }
  Status write_out(const container::ModelMetadata& segment, CancelToken* cancel) {
    return writer_.write_out(segment, cancel);
  }
  void drop_cached(const container::ModelMetadata& segment) const { writer_.drop_cached(segment); }
  Result<bool> adopt(const container::ModelMetadata& segment, CancelToken* cancel);
  // Whether an unfinished file stays; at first not.
  void keep(bool kept) { writer_.keep(kept); }
  // What replaying an adopted block takes. The record must outlive the result.
  Result<FinishedBlock> finished_block(int64_t block, const container::ModelMetadata& segment,
                                       std::span<const UnfoldedScales> unfolded) const;

  // Everything after the last block, then the index; the file is published. kCancelled before that.
  Status finish(const container::ModelInfo& info, CancelToken* cancel = nullptr);
  // The file's size after finish().
  uint64_t size() const { return writer_.file_size(); }

 private:
  // Of a tensor on its way into the file or back, at a time; what is planned for is what is used.
  static constexpr uint64_t kTileBytes = 1 << 20;

  OutputFile(container::ModelWriter writer, backend::Device& device, const ModelSource& source,
             const OutputFormat& format)
      : writer_(std::move(writer)), device_(&device), source_(&source), format_(format) {}
  Status write_raw(const container::SegmentPlan& segment);
  Status write_dense_segment(const container::SegmentPlan& segment);
  Status write_dense(const container::TensorDescription& description);
  Status write_floats(const container::TensorDescription& description, std::span<const float> values);
  // output_file_quantized.cc
  Status write_quantized(const container::TensorDescription& description, const awq::QuantizedLinear& linear);
  Status read_codes(const awq::QuantizedLinear& linear, const container::PlaneRegion& region, std::span<std::byte> out);
  Status read_scales(const awq::QuantizedLinear& linear, const container::PlaneRegion& region,
                     std::span<std::byte> out);
  Status read_zeros(const awq::QuantizedLinear& linear, const container::PlaneRegion& region, std::span<std::byte> out);
  Status each_parameter_row(const awq::QuantizedLinear& linear, const backend::Buffer& buffer,
                            const container::PlaneRegion& region,
                            const std::function<void(uint64_t row, std::span<const float>)>& use);
  // output_file_resume.cc
  Status read_quantized(const container::TensorRecord& tensor, const awq::QuantizedLinear& to) const;

  container::ModelWriter writer_;
  backend::Device* device_;
  const ModelSource* source_;
  OutputFormat format_;
  std::vector<container::SegmentPlan> segments_;
  size_t front_ = 0;  // segments before the first block
  size_t next_ = 0;   // segment to write
  std::unique_ptr<backend::Buffer> packed_;
};

}  // namespace scrooge::pipeline
