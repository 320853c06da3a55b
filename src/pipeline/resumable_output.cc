// SPDX-License-Identifier: Apache-2.0
#include "src/pipeline/resumable_output.h"

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
  self->front_records_ = front_segment_count(output_segments(source, o.spec, o.with_scales));
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
  SCROOGE_ASSIGN_OR_RETURN(OutputFile file,
                           OutputFile::create(std::move(partial), device, source, o.spec, o.with_scales));
  self->output_ = std::make_unique<OutputFile>(std::move(file));
  if (found) SCROOGE_RETURN_IF_ERROR(self->adopt());
  SCROOGE_RETURN_IF_ERROR(self->output_->reserve(o.output_bytes));
  return self;
}

ResumableOutput::~ResumableOutput() {
  if (ours_ && !published_ && finished_blocks_ == 0) (void)journal_.remove();
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

// Takes over what is finished, up to the first damage.
Status ResumableOutput::adopt() {
  for (size_t i = 0; i < journal_.size(); ++i) {
    SCROOGE_ASSIGN_OR_RETURN(const std::vector<std::byte> bytes, journal_.read(i));
    SCROOGE_ASSIGN_OR_RETURN(const BlockRecord record, decode_record(bytes, Journal::name_of(options_.output)));
    if (record.is_block() != (i >= front_records_)) {
      return error(StatusCode::kBadModelFile, Journal::name_of(options_.output),
                   ": records out of order; start over with --fresh");
    }
    SCROOGE_ASSIGN_OR_RETURN(const bool intact, output_->adopt(record.segment));
    if (!intact) {
      log(options_.log, LogLevel::kWarning, AtomicFile::partial_name(options_.output), ": segment ",
          record.segment.segments.front().name, " is damaged; it is made again, and all that follow");
      SCROOGE_RETURN_IF_ERROR(journal_.truncate(i));
      break;
    }
    if (record.is_block()) ++finished_blocks_;
  }
  output_->keep(finished_blocks_ > 0);
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

// The bytes first: a record must never speak of bytes that a crash can still lose.
Status ResumableOutput::append(std::span<const BlockRecord> records) {
  SCROOGE_RETURN_IF_ERROR(output_->sync());
  for (const BlockRecord& record : records) {
    SCROOGE_ASSIGN_OR_RETURN(const std::vector<std::byte> bytes, encode_record(record));
    SCROOGE_RETURN_IF_ERROR(journal_.append(bytes));
  }
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
  record.segment = output_->last_segment();
  record.segment.info.blocks.push_back(report);
  record.figures = figures;
  record.unfolded = outcome.unfolded;
  SCROOGE_RETURN_IF_ERROR(append({&record, 1}));
  ++finished_blocks_;
  output_->keep(true);
  return {};
}

void ResumableOutput::discard() {
  if (published_) return;
  output_->keep(false);
  (void)journal_.remove();
  ours_ = false;
}

Status ResumableOutput::finish(const container::ModelInfo& info) {
  SCROOGE_RETURN_IF_ERROR(output_->finish(info));
  published_ = true;
  // A journal that stays is of no output any more, and the next job starts over.
  (void)journal_.remove();
  return {};
}

}  // namespace scrooge::pipeline
