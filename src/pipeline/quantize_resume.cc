// SPDX-License-Identifier: Apache-2.0
// How a quantization job goes on behind what an earlier process finished.
#include "src/base/atomic_file.h"
#include "src/pipeline/quantize_job.h"

namespace scrooge::pipeline {

// Of a job that another process did.
Status QuantizeJob::read_records(const ResumableOutput& output) {
  resumed_blocks_ = output.finished_blocks();
  for (int64_t block = 0; block < resumed_blocks_; ++block) {
    SCROOGE_ASSIGN_OR_RETURN(BlockRecord record, output.record(block));
    reports_.push_back(std::move(record.segment.info.blocks.front()));
    blocks_.push_back(std::move(record.figures));
  }
  output_bytes_ = output.size();
  return {};
}

// What goes wrong with states that nobody asked for is no reason to fail: finished blocks can be run again.
Status QuantizeJob::without_states(const Status& why) {
  states_.reset();
  DurableStates::remove(options_.output);
  if (options_.states == StatesPolicy::kKeep || why.code() == StatusCode::kCancelled) return why;
  log(options_.log, LogLevel::kWarning, why.message(),
      "; going on without: after an interruption finished blocks are run again");
  return {};
}

Status QuantizeJob::open_states(const std::string& fingerprint, backend::Device& device) {
  if (plan_.states_bytes == 0) {
    DurableStates::remove(options_.output);
    return {};
  }
  auto opened = DurableStates::open(options_.output, fingerprint, plan_.states_bytes, device);
  if (!opened.ok()) return without_states(opened.status());
  states_ = std::make_unique<DurableStates>(std::move(*opened));
  return {};
}

// The block behind which the hidden states are now, or -1.
Result<int64_t> QuantizeJob::restore_states(BlockQuantizer& quantizer, Reporter& reporter) {
  if (states_ == nullptr || resumed_blocks_ == 0) return -1;
  SCROOGE_ASSIGN_OR_RETURN(const int64_t block, states_->load(resumed_blocks_ - 1, quantizer.states(), [&] {
    return reporter.report(Phase::kPrepare, "states", 0);
  }));
  // What did not turn out intact has overwritten the first ones.
  if (block < 0) SCROOGE_RETURN_IF_ERROR(quantizer.embed(rows_));
  return block;
}

// After the block's record: states of a block that is not finished are of no use.
Status QuantizeJob::save_states(int64_t block, BlockQuantizer& quantizer, Reporter& reporter) {
  if (states_ == nullptr || block + 1 == plan_.blocks) return {};
  const Status saved = states_->save(block, quantizer.states(), [&] { return check_cancelled(&reporter); });
  // A card that fails says nothing about the file, whose other slot the next attempt wants.
  const bool of_card = !device_.info.host_memory &&
                       (saved.code() == StatusCode::kUnavailable || saved.code() == StatusCode::kOutOfMemory);
  return saved.ok() || of_card || saved.code() == StatusCode::kCancelled ? saved : without_states(saved);
}

// Past the blocks that an earlier run finished.
Status QuantizeJob::resume(BlockQuantizer& quantizer, const ResumableOutput& output, const Budgets& budgets,
                           Reporter& reporter) {
  resumed_blocks_ = output.finished_blocks();
  if (resumed_blocks_ > 0) {
    log(options_.log, LogLevel::kInfo, "going on behind block ", resumed_blocks_, " of ", plan_.blocks, ", where ",
        AtomicFile::partial_name(options_.output), " stopped");
  }
  const bool work_left = resumed_blocks_ < plan_.blocks;
  int64_t behind = -1;
  if (calibrates() && work_left) {
    SCROOGE_ASSIGN_OR_RETURN(behind, restore_states(quantizer, reporter));
  }
  for (int64_t block = 0; block < resumed_blocks_; ++block) {
    begin_block(block, budgets, reporter);
    SCROOGE_ASSIGN_OR_RETURN(BlockRecord record, output.record(block));
    if (calibrates() && work_left && block > behind) {
      SCROOGE_ASSIGN_OR_RETURN(const FinishedBlock finished, output.finished_block(block, record));
      SCROOGE_RETURN_IF_ERROR(quantizer.replay(block, finished));
    }
    reports_.push_back(std::move(record.segment.info.blocks.front()));
    blocks_.push_back(std::move(record.figures));
    trim_heap();
  }
  return {};
}

}  // namespace scrooge::pipeline
