// SPDX-License-Identifier: Apache-2.0
// A journal (first byte even) as the file beside an output, or (odd) one record of it.
#include "src/pipeline/journal.h"

#include <algorithm>

#include "src/pipeline/block_record.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/support/byte_writer.h"
#include "tests/support/model_file.h"
#include "tests/support/temp_folder.h"

namespace scrooge::fuzz {
namespace {

using pipeline::BlockRecord;
using pipeline::Journal;

struct Output {
  test::TempFolder folder;
  std::string path = folder / "m.scrooge";
  std::string journal = Journal::name_of(path);
};

const Output& output() {
  static const Output made;
  return made;
}

Result<Journal> open() {
  return Journal::open(output().path, [] { return error(StatusCode::kCancelled, "busy"); });
}

BlockRecord sample_record() {
  BlockRecord record;
  record.segment.info = container::sample_info();
  record.segment.segments.push_back({"block.0", container::SegmentKind::kBlock, 4096, 100, 0});
  record.figures.loss = 0.5;
  record.figures.stages.resize(1);
  record.figures.linears.resize(1);
  record.unfolded.push_back({2, {1.0f, 2.0f}});
  return record;
}

std::string text_of(std::span<const std::byte> bytes) {
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

std::string sample_record_bytes(bool saving = false) {
  BlockRecord record = sample_record();
  if (saving) record.calibration = record.segment;
  const auto bytes = encode_record(record);
  require(bytes.ok(), "a record is written");
  return text_of(*bytes);
}

void read_record(std::span<const std::byte> bytes) {
  const auto record = pipeline::decode_record(bytes, "input");
  if (!record.ok()) return;
  for (const auto& block : record->segment.info.blocks) {
    require(record->figures.linears.size() == block.linears.size(), "every linear has figures");
    require(record->figures.stages.size() == block.scale_sets.size(), "every scale set has figures");
  }
}

void read_journal(std::string_view input) {
  test::write_file(output().journal, input);
  auto journal = open();
  if (!journal.ok() || journal->empty()) return;
  (void)pipeline::fingerprint_difference(journal->fingerprint(), "a=1\nb=2\n");
  const size_t count = journal->size();
  for (size_t i = 0; i < count; ++i) {
    const auto payload = journal->read(i);
    require(payload.ok(), "a record that counts is whole");
    read_record(*payload);
  }
  if (count > 0) require(journal->truncate(count - 1).ok() && journal->size() == count - 1, "a journal forgets");
}

std::string sample_journal() {
  test::write_file(output().journal, "");
  auto journal = open();
  require(journal.ok() && journal->start("a=1\nb=3\n").ok(), "a journal begins");
  const std::string record = sample_record_bytes();
  require(journal->append(std::as_bytes(std::span(record))).ok(), "a journal grows");
  require(journal->append({}).ok(), "by nothing, too");
  return text_of(container::read_bytes(output().journal));
}

}  // namespace

const InputKind kInputKind = InputKind::kBinary;

std::vector<std::string> seeds() {
  return {std::string(1, '\0') + sample_journal(), "\1" + sample_record_bytes(), "\1" + sample_record_bytes(true),
          literal("\0SCRGJRN1")};
}

void run(std::string_view input) {
  if (input.empty()) return;
  if (input.front() % 2 == 0) return read_journal(input.substr(1));
  const std::string_view rest = input.substr(1);
  read_record(std::as_bytes(std::span(rest)));
}

}  // namespace scrooge::fuzz
