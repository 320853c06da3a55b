// SPDX-License-Identifier: Apache-2.0
#include "src/pipeline/resumable_output.h"

#include "src/pipeline/progress.h"

namespace scrooge::pipeline {

Result<std::unique_ptr<ResumableOutput>> ResumableOutput::open(ResumeOptions options, backend::Device& device,
                                                               const ModelSource& source) {
  bool told = false;
  const auto wait = [&] {
    if (!told) {
      log(options.log, LogLevel::kWarning, options.output, ": another process is writing it; waiting for it to end");
    }
    told = true;
    return options.wait();
  };
  SCROOGE_ASSIGN_OR_RETURN(Journal journal, Journal::open(options.output, wait));
  std::unique_ptr<ResumableOutput> self(new ResumableOutput(std::move(options), std::move(journal)));
  const ResumeOptions& o = self->options_;
  self->front_records_ = front_segment_count(output_segments(source, o.format));
  while (self->journal_.published()) {
    SCROOGE_ASSIGN_OR_RETURN(const bool done, self->is_done_elsewhere(source));
    if (done) return self;
    SCROOGE_ASSIGN_OR_RETURN(self->journal_, Journal::open(o.output, [&] { return o.wait(); }));
  }
  SCROOGE_ASSIGN_OR_RETURN(const bool resume, self->can_resume());
  AtomicFile partial;
  if (resume) {
    auto left = AtomicFile::resume_partial(o.output);
    if (!left.ok() && left.status().code() != StatusCode::kNotFound) return left.status();
    if (left.ok()) partial = std::move(*left);
  }
  const bool found = !partial.path().empty();
  // Until it is known what is finished in a file that was found, nothing that goes wrong may take it away.
  partial.keep(found);
  self->ours_ = !found;
  if (!found) {
    SCROOGE_RETURN_IF_ERROR(self->journal_.start(o.fingerprint));
    SCROOGE_ASSIGN_OR_RETURN(partial, AtomicFile::create_partial(o.output));
  }
  SCROOGE_ASSIGN_OR_RETURN(OutputFile file, OutputFile::create(std::move(partial), device, source, o.format));
  self->output_ = std::make_unique<OutputFile>(std::move(file));
  if (!o.calibration.empty()) SCROOGE_RETURN_IF_ERROR(self->open_calibration(source));
  if (found) SCROOGE_RETURN_IF_ERROR(self->adopt_all());
  SCROOGE_RETURN_IF_ERROR(self->output_->reserve(o.output_bytes));
  return self;
}

// The output of another job, or none any more, is none of ours.
Result<bool> ResumableOutput::is_done_elsewhere(const ModelSource& source) {
  const auto blocks = static_cast<size_t>(source.config().blocks);
  if (options_.fresh || !options_.calibration.empty() || journal_.empty()) return false;
  if (!fingerprint_difference(journal_.fingerprint(), options_.fingerprint).empty()) return false;
  if (journal_.size() != front_records_ + blocks) return false;
  const auto file = RandomFile::open(options_.output, RandomFile::Mode::kExisting);
  if (!file.ok()) return false;
  SCROOGE_ASSIGN_OR_RETURN(published_bytes_, file->size());
  finished_blocks_ = static_cast<int64_t>(blocks);
  published_ = true;
  log(options_.log, LogLevel::kInfo, options_.output, ": another process finished this very job meanwhile");
  return true;
}

ResumableOutput::~ResumableOutput() {
  if (ours_ && !published_ && finished_blocks_ == 0) journal_.remove();
}

Result<bool> ResumableOutput::can_resume() const {
  if (journal_.empty() || options_.fresh) return false;
  const std::string difference = fingerprint_difference(journal_.fingerprint(), options_.fingerprint);
  if (difference.empty()) return true;
  if (journal_.size() <= front_records_) return false;
  return error(StatusCode::kFingerprintMismatch, AtomicFile::partial_name(options_.output), ": ",
               journal_.size() - front_records_, " finished blocks of another job are there (", difference,
               "); give that job's options to finish it, --fresh to start over, or another output");
}

// The results of finished blocks are not made again without need: a name mistyped must not cost hours of work.
Status ResumableOutput::open_calibration(const ModelSource& source) {
  const bool needed = journal_.size() > front_records_;
  // The journal's lock is by output; another job may save its results under the same name.
  const std::string partial = AtomicFile::partial_name(options_.calibration);
  auto lock = RandomFile::open(partial, needed ? RandomFile::Mode::kExisting : RandomFile::Mode::kCreate);
  if (lock.ok() && !lock->try_lock()) {
    return error(StatusCode::kInvalidArgument, options_.calibration,
                 ": another job is saving its calibration results there; give --save-calibration another name");
  }
  if (lock.ok()) calibration_lock_ = std::move(*lock);
  auto left =
      needed ? AtomicFile::resume_partial(options_.calibration) : AtomicFile::create_partial(options_.calibration);
  if (!left.ok() && needed && left.status().code() == StatusCode::kNotFound) {
    return error(StatusCode::kNotFound, AtomicFile::partial_name(options_.calibration), ": missing, with what ",
                 journal_.size() - front_records_, " finished blocks of ", options_.output,
                 " were calibrated to; give the --save-calibration FILE of that run, or --fresh to start over");
  }
  if (!left.ok()) return left.status();
  left->keep(needed);
  SCROOGE_ASSIGN_OR_RETURN(CalibrationFile file, CalibrationFile::create(std::move(*left), source, options_.format.spec,
                                                                         options_.calibration_bytes));
  calibration_ = std::make_unique<CalibrationFile>(std::move(file));
  return {};
}

void ResumableOutput::keep(bool kept) {
  output_->keep(kept);
  if (calibration_) calibration_->keep(kept);
}

// Both files or none: false when either is damaged.
Result<bool> ResumableOutput::adopt(const BlockRecord& record) {
  const bool both = calibration_ && record.is_block();
  if (both) {
    SCROOGE_ASSIGN_OR_RETURN(const bool intact, calibration_->intact(record.calibration, options_.cancel));
    if (!intact) return false;
  }
  SCROOGE_ASSIGN_OR_RETURN(const bool adopted, output_->adopt(record.segment, options_.cancel));
  if (!adopted || !both) return adopted;
  return calibration_->adopt(record.calibration, options_.cancel);
}

// Takes over what is finished, up to the first damage.
Status ResumableOutput::adopt_all() {
  for (size_t i = 0; i < journal_.size(); ++i) {
    SCROOGE_ASSIGN_OR_RETURN(const std::vector<std::byte> bytes, journal_.read(i));
    SCROOGE_ASSIGN_OR_RETURN(const BlockRecord record, decode_record(bytes, Journal::name_of(options_.output)));
    if (record.is_block() != (i >= front_records_)) {
      return error(StatusCode::kBadModelFile, Journal::name_of(options_.output),
                   ": records out of order; start over with --fresh");
    }
    SCROOGE_ASSIGN_OR_RETURN(const bool intact, adopt(record));
    if (!intact) {
      log(options_.log, LogLevel::kWarning, AtomicFile::partial_name(options_.output), ": segment ",
          record.segment.segments.front().name, " is damaged; it is made again, and all that follow");
      SCROOGE_RETURN_IF_ERROR(journal_.truncate(i));
      break;
    }
    if (record.is_block()) ++finished_blocks_;
  }
  keep(finished_blocks_ > 0);
  ours_ = true;
  return {};
}

Result<BlockRecord> ResumableOutput::record(int64_t block) const {
  SCROOGE_ASSIGN_OR_RETURN(const std::vector<std::byte> bytes,
                           journal_.read(front_records_ + static_cast<size_t>(block)));
  return decode_record(bytes, Journal::name_of(options_.output));
}

Result<FinishedBlock> ResumableOutput::finished_block(int64_t block, const BlockRecord& record) const {
  return output_->finished_block(block, record.segment, record.unfolded);
}

// Once, when all files are there: a record whose output lost its name in a power cut is worth nothing.
Status ResumableOutput::sync_names() {
  if (names_synced_) return {};
  const std::string folder = folder_of(options_.output);
  SCROOGE_RETURN_IF_ERROR(sync_folder(folder));
  if (calibration_ && folder_of(options_.calibration) != folder) {
    SCROOGE_RETURN_IF_ERROR(sync_folder(folder_of(options_.calibration)));
  }
  names_synced_ = true;
  return {};
}

// The bytes first: a record must never speak of bytes that a crash can still lose.
Status ResumableOutput::append(std::span<const BlockRecord> records) {
  const Stopwatch watch;
  SCROOGE_RETURN_IF_ERROR(sync_names());
  for (const BlockRecord& record : records) {
    SCROOGE_RETURN_IF_ERROR(output_->write_out(record.segment, options_.cancel));
    if (calibration_) SCROOGE_RETURN_IF_ERROR(calibration_->write_out(record.calibration, options_.cancel));
  }
  SCROOGE_RETURN_IF_ERROR(output_->sync());
  if (calibration_) SCROOGE_RETURN_IF_ERROR(calibration_->sync());
  for (const BlockRecord& record : records) {
    SCROOGE_ASSIGN_OR_RETURN(const std::vector<std::byte> bytes, encode_record(record));
    SCROOGE_RETURN_IF_ERROR(journal_.append(bytes));
    // Not read again by this process, and the source's next blocks want the room.
    output_->drop_cached(record.segment);
    if (calibration_) calibration_->drop_cached(record.calibration);
  }
  durable_seconds_ += watch.seconds();
  return {};
}

Status ResumableOutput::write_front() {
  if (!output_->at_front()) return {};
  std::vector<BlockRecord> records;
  while (output_->at_front()) {
    SCROOGE_RETURN_IF_ERROR(output_->write_front_segment());
    records.emplace_back().segment = output_->last_segment();
  }
  return append(records);
}

Status ResumableOutput::write_block(int64_t block, const BlockOutcome& outcome, const container::BlockReport& report,
                                    const BlockFigures& figures) {
  SCROOGE_RETURN_IF_ERROR(output_->write_block(block, outcome));
  BlockRecord record;
  if (calibration_) {
    SCROOGE_RETURN_IF_ERROR(calibration_->write_block(outcome));
    record.calibration = calibration_->last_segment();
  }
  record.segment = output_->last_segment();
  record.segment.info.blocks.push_back(report);
  record.figures = figures;
  record.unfolded = outcome.unfolded;
  SCROOGE_RETURN_IF_ERROR(append({&record, 1}));
  ++finished_blocks_;
  keep(true);
  return {};
}

void ResumableOutput::discard() {
  if (published_) return;
  keep(false);
  journal_.remove();
  ours_ = false;
}

Status ResumableOutput::finish(const container::ModelInfo& info, const container::ModelInfo& calibration) {
  SCROOGE_RETURN_IF_ERROR(output_->finish(info, options_.cancel));
  published_ = true;
  // A journal that stays is of no output any more, and the next job starts over.
  journal_.publish();
  if (!calibration_) return {};
  calibration_->keep(false);
  const Status saved = calibration_->finish(calibration);
  return saved.with_advice(concat(options_.output, " is complete"));
}

}  // namespace scrooge::pipeline
