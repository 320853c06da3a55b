// SPDX-License-Identifier: Apache-2.0
// The output of a job with the journal beside it: each block is durable before the next begins, and a later process
// with the same fingerprint goes on behind the last finished one.
//
//   OUTPUT.partial   the unfinished file, renamed to OUTPUT when complete
//   OUTPUT.journal   journal.h; removed once the output is there
//
// A block counts as finished when its bytes are durable and then its record is; the names of all files that a job goes
// on from are durable before the first record of a process. Both files go when nothing of worth is in them, that is
// before the first block is finished. Calibration results that are saved grow in a third file, CALIBRATION.partial, in
// step with the output.
#pragma once

#include <functional>
#include <string>

#include "src/base/log.h"
#include "src/pipeline/block_record.h"
#include "src/pipeline/calibration_file.h"
#include "src/pipeline/journal.h"
#include "src/pipeline/output_file.h"

namespace scrooge::pipeline {

struct ResumeOptions {
  std::string output;
  std::string fingerprint;
  bool fresh = false;  // start over whatever is there
  OutputFormat format;
  uint64_t output_bytes = 0;
  std::string calibration;  // where to save the results of the calibration; empty: nowhere
  uint64_t calibration_bytes = 0;
  LogSink log;
  std::function<Status()> wait;   // called while another process writes the output; its error ends the waiting
  CancelToken* cancel = nullptr;  // asked while what is finished is checked, and while bytes go to the disk
};

// One thread. Device and source must outlive it.
class ResumableOutput {
 public:
  // kFingerprintMismatch, naming what differs, when blocks of another job are finished under this name; kNotFound when
  // the calibration results of finished blocks are gone; kNoSpace.
  static Result<std::unique_ptr<ResumableOutput>> open(ResumeOptions options, backend::Device& device,
                                                       const ModelSource& source);
  ~ResumableOutput();

  // Another process did this very job while open() waited for it: nothing is left to do but to read the records.
  bool done_elsewhere() const { return output_ == nullptr; }
  int64_t finished_blocks() const { return finished_blocks_; }
  // REQUIRES: block < finished_blocks().
  Result<BlockRecord> record(int64_t block) const;
  // The record must outlive the result.
  Result<FinishedBlock> finished_block(int64_t block, const BlockRecord& record) const;

  // What comes before the first block, as far as it is missing.
  Status write_front();
  // Durable on return.
  Status write_block(int64_t block, const BlockOutcome& outcome, const container::BlockReport& report,
                     const BlockFigures& figures);
  // Drops what is finished, for errors that every later attempt would meet too.
  void discard();
  // Publishes the output, then the calibration results with an info of their own, and removes the journal.
  Status finish(const container::ModelInfo& info, const container::ModelInfo& calibration);
  // Spent on making segments durable: their sync and their journal records.
  double durable_seconds() const { return durable_seconds_; }
  uint64_t size() const { return output_ == nullptr ? published_bytes_ : output_->size(); }

 private:
  ResumableOutput(ResumeOptions options, Journal journal)
      : options_(std::move(options)), journal_(std::move(journal)) {}
  Result<bool> is_done_elsewhere(const ModelSource& source);
  Result<bool> can_resume() const;
  Status open_calibration(const ModelSource& source);
  Result<bool> adopt(const BlockRecord& record);
  Status adopt_all();
  Status append(std::span<const BlockRecord> records);
  Status sync_names();
  void keep(bool kept);

  ResumeOptions options_;
  Journal journal_;
  std::unique_ptr<OutputFile> output_;
  RandomFile calibration_lock_;                   // on CALIBRATION.partial
  std::unique_ptr<CalibrationFile> calibration_;  // null: not saved
  size_t front_records_ = 0;                      // of the journal, before those of blocks
  int64_t finished_blocks_ = 0;
  bool names_synced_ = false;
  bool ours_ = false;  // the journal speaks of this job, not of another one whose work must stay
  double durable_seconds_ = 0;
  bool published_ = false;
  uint64_t published_bytes_ = 0;  // by another process
};

}  // namespace scrooge::pipeline
