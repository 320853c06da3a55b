// SPDX-License-Identifier: Apache-2.0
// What the journal holds of a finished segment of the output; of a block also everything that the report and the next
// blocks need and the output does not tell.
//
// A block's effective weights follow from codes and zeros in the output, the stage scales beside them, and the group
// scales as they were before a later stage's scale was folded into the rows of v and up: folding rounds them again.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "src/container/model_metadata.h"
#include "src/pipeline/job_report.h"

namespace scrooge::pipeline {

struct BlockRecord {
  container::ModelMetadata segment;  // ModelWriter::last_segment(); info.blocks holds the block's report
  BlockFigures figures;
  std::vector<UnfoldedScales> unfolded;
  container::ModelMetadata calibration;  // CalibrationFile::last_segment(); empty where results are not saved

  bool is_block() const { return !segment.info.blocks.empty(); }
};

Result<std::vector<std::byte>> encode_record(const BlockRecord& record);
// kBadModelFile naming `path` when the bytes are no record.
Result<BlockRecord> decode_record(std::span<const std::byte> bytes, const std::string& path);

}  // namespace scrooge::pipeline
