// SPDX-License-Identifier: Apache-2.0
#include "src/pipeline/journal.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "src/base/file_map.h"
#include "src/pipeline/block_record.h"
#include "tests/support/temp_folder.h"

namespace scrooge::pipeline {
namespace {

std::vector<std::byte> payload(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

class JournalTest : public testing::Test {
 protected:
  std::string output() const { return folder_.path() + "/model.scrooge"; }
  std::string file() const { return Journal::name_of(output()); }
  Result<Journal> open() const {
    return Journal::open(output(), [] { return error(StatusCode::kCancelled, "busy"); });
  }
  void write(const std::string& bytes) const { std::ofstream(file(), std::ios::binary | std::ios::trunc) << bytes; }
  std::string content() const { return *read_small_file(file(), 1 << 20); }
  void fill() const {
    auto journal = open();
    ASSERT_TRUE(journal.ok());
    ASSERT_TRUE(journal->start("a=1\nb=2\n").ok());
    ASSERT_TRUE(journal->append(payload("first")).ok());
    ASSERT_TRUE(journal->append(payload("")).ok());
    ASSERT_TRUE(journal->append(payload("a longer third one")).ok());
  }

  test::TempFolder folder_;
};

TEST_F(JournalTest, RecordsComeBackInOrder) {
  fill();
  auto journal = open();
  ASSERT_TRUE(journal.ok());
  EXPECT_EQ(journal->fingerprint(), "a=1\nb=2\n");
  ASSERT_EQ(journal->size(), 3u);
  EXPECT_EQ(*journal->read(0), payload("first"));
  EXPECT_EQ(*journal->read(1), payload(""));
  EXPECT_EQ(*journal->read(2), payload("a longer third one"));
  ASSERT_TRUE(journal->truncate(1).ok());
  ASSERT_TRUE(journal->append(payload("again")).ok());
  EXPECT_EQ(journal->size(), 2u);
  EXPECT_EQ(*journal->read(1), payload("again"));
}

TEST_F(JournalTest, ZerosAreWhatAPowerCutLeftOfOne) {
  write(std::string(4096, '\0'));
  auto journal = open();
  ASSERT_TRUE(journal.ok()) << journal.status().message();
  EXPECT_TRUE(journal->empty());
  ASSERT_TRUE(journal->start("a=1\n").ok());
  ASSERT_TRUE(journal->append(payload("first")).ok());
  EXPECT_EQ(journal->size(), 1u);
}

TEST_F(JournalTest, EveryPrefixIsAJournalOfTheWholeRecordsInIt) {
  fill();
  const std::string whole = content();
  size_t last = 0;
  for (size_t size = 0; size <= whole.size(); ++size) {
    write(whole.substr(0, size));
    auto journal = open();
    ASSERT_TRUE(journal.ok()) << size;
    const size_t records = journal->empty() ? 0 : journal->size() + 1;
    EXPECT_GE(records, last);
    last = records;
  }
  EXPECT_EQ(last, 4u);
}

TEST_F(JournalTest, AFlippedBitEndsTheJournalBeforeItsRecord) {
  fill();
  const std::string whole = content();
  for (size_t byte = 8; byte < whole.size(); ++byte) {
    std::string damaged = whole;
    damaged[byte] ^= 0x10;
    write(damaged);
    auto journal = open();
    ASSERT_TRUE(journal.ok());
    // Padding is the only part no checksum covers.
    for (size_t i = 0; !journal->empty() && i < journal->size(); ++i) EXPECT_TRUE(journal->read(i).ok());
  }
}

TEST_F(JournalTest, SomethingElseIsNotAJournal) {
  write("this is a text, not a journal");
  EXPECT_EQ(open().status().code(), StatusCode::kBadModelFile);
}

TEST_F(JournalTest, OneProcessAtATime) {
  auto held = open();
  ASSERT_TRUE(held.ok());
  int waited = 0;
  const auto other = Journal::open(output(), [&] {
    ++waited;
    return error(StatusCode::kCancelled, "enough");
  });
  EXPECT_EQ(other.status().code(), StatusCode::kCancelled);
  EXPECT_EQ(waited, 1);
}

TEST_F(JournalTest, WaitsForTheOtherAndStartsAnew) {
  auto held = open();
  ASSERT_TRUE(held.ok());
  ASSERT_TRUE(held->start("x=1\n").ok());
  const auto other = Journal::open(output(), [&] {
    held->remove();
    return Status();
  });
  ASSERT_TRUE(other.ok());
  EXPECT_TRUE(other->empty());
  EXPECT_TRUE(std::filesystem::exists(file()));
}

TEST(Fingerprint, DifferencesAreNamed) {
  EXPECT_EQ(fingerprint_difference("a=1\nb=2\n", "a=1\nb=2\n"), "");
  EXPECT_EQ(fingerprint_difference("a=1\nb=2\n", "a=3\nc=4\n"),
            "a: was 1, is 3; c: was absent, is 4; b: was 2, is absent");
}

TEST(BlockRecord, ComesBackAndEveryShorterOneIsRefused) {
  BlockRecord record;
  record.segment.segments.push_back({"block.0", container::SegmentKind::kBlock, 4096, 100, 0});
  container::BlockReport& block = record.segment.info.blocks.emplace_back();
  block.scale_sets.resize(1);
  block.linears.resize(1);
  record.figures.loss = 0.5;
  record.figures.stages.push_back({0.01, true, false, true});
  BlockFigures::Linear& linear = record.figures.linears.emplace_back();
  linear.rows = 7;
  linear.overfit = true;
  record.unfolded.push_back({2, {1.0f, 2.0f}});
  const auto bytes = encode_record(record);
  ASSERT_TRUE(bytes.ok());
  const auto back = decode_record(*bytes, "journal");
  ASSERT_TRUE(back.ok()) << back.status().message();
  EXPECT_TRUE(back->is_block());
  EXPECT_EQ(back->segment.segments, record.segment.segments);
  EXPECT_EQ(back->figures.loss, 0.5);
  EXPECT_TRUE(back->figures.stages.front().corrected);
  EXPECT_TRUE(back->figures.stages.front().broke_down);
  EXPECT_EQ(back->figures.linears.front().rows, 7);
  EXPECT_EQ(back->unfolded.front().scales, record.unfolded.front().scales);
  for (size_t size = 0; size < bytes->size(); ++size) {
    EXPECT_EQ(decode_record(std::span(*bytes).first(size), "journal").status().code(), StatusCode::kBadModelFile);
  }
}

// The report reads the figures of each linear and scale set.
TEST(BlockRecord, FiguresThatDoNotBelongToTheReportAreRefused) {
  BlockRecord record;
  record.segment.segments.push_back({"block.0", container::SegmentKind::kBlock, 4096, 100, 0});
  container::BlockReport& block = record.segment.info.blocks.emplace_back();
  const auto code = [&] { return decode_record(*encode_record(record), "journal").status().code(); };
  EXPECT_EQ(code(), StatusCode::kOk);
  block.linears.resize(1);
  EXPECT_EQ(code(), StatusCode::kBadModelFile);
  record.figures.linears.resize(1);
  EXPECT_EQ(code(), StatusCode::kOk);
  record.figures.stages.resize(1);
  EXPECT_EQ(code(), StatusCode::kBadModelFile);
  record.segment.info.blocks.clear();
  EXPECT_EQ(code(), StatusCode::kBadModelFile);
}

}  // namespace
}  // namespace scrooge::pipeline
