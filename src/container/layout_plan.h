// SPDX-License-Identifier: Apache-2.0
// The size of a file and the place of everything in it, from shapes alone: what a planner reserves and announces before
// any work.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "src/base/result.h"
#include "src/container/model_metadata.h"

namespace scrooge::container {

// One segment to come, in file order. Tensor segments list tensors, raw segments have blob_bytes.
struct SegmentPlan {
  std::string name;
  SegmentKind kind = SegmentKind::kBlock;
  std::vector<TensorDescription> tensors;
  uint64_t blob_bytes = 0;
};

struct LayoutPlan {
  uint64_t file_size = 0;
  uint64_t meta_offset = 0;
  uint64_t meta_size = 0;
  ModelMetadata metadata;  // offsets and sizes as the writer will choose them; digests are 0
};

// Exact for a ModelWriter that is given the same segments and tensors in the same order and an `info` whose texts and
// lists have the same lengths (numbers do not matter). An `info` without the block reports is too small by these alone,
// which rarely crosses the next segment boundary. kInvalidArgument when a description is malformed or the total
// overflows.
Result<LayoutPlan> plan_layout(std::span<const SegmentPlan> segments, const ModelInfo& info, Alignment alignment = {});

// plan_layout(...).file_size.
Result<uint64_t> planned_size(std::span<const SegmentPlan> segments, const ModelInfo& info, Alignment alignment = {});

}  // namespace scrooge::container
