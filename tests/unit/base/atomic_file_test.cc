// SPDX-License-Identifier: Apache-2.0
#include "src/base/atomic_file.h"

#include <array>

#include "tests/unit/base/scratch_files.h"

namespace scrooge {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

class AtomicFileTest : public ScratchFiles {};

TEST_F(AtomicFileTest, AppearsOnlyWhenCommitted) {
  auto file = AtomicFile::create(path("out"));
  ASSERT_TRUE(file.ok()) << file.status().message();
  ASSERT_TRUE(file->write_at(4, bytes_of("data")).ok());
  ASSERT_TRUE(file->write_at(0, bytes_of("head")).ok());
  ASSERT_TRUE(file->write_at(8, bytes_of("spare")).ok());
  EXPECT_FALSE(std::filesystem::exists(path("out")));
  ASSERT_TRUE(file->commit(8).ok());
  EXPECT_EQ(get(path("out")), "headdata");
  EXPECT_EQ(entries(), 1);
}

TEST_F(AtomicFileTest, OldFileStaysWhenNotCommitted) {
  put(path("out"), "old");
  {
    auto file = AtomicFile::create(path("out"));
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE(file->write_at(0, bytes_of("new")).ok());
    ASSERT_TRUE(file->sync().ok());
  }
  EXPECT_EQ(get(path("out")), "old");
  EXPECT_EQ(entries(), 1);
}

TEST_F(AtomicFileTest, CommitReplacesTheOldFile) {
  put(path("out"), "something longer");
  ASSERT_TRUE(write_file_atomically(path("out"), "new").ok());
  EXPECT_EQ(get(path("out")), "new");
}

TEST_F(AtomicFileTest, ReadsBackWhatWasWritten) {
  auto file = AtomicFile::create(path("out"));
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE(file->write_at(0, bytes_of("0123456789")).ok());
  std::array<std::byte, 3> part;
  ASSERT_TRUE(file->read_at(4, part).ok());
  EXPECT_EQ(part[0], std::byte('4'));
  EXPECT_EQ(file->read_at(8, part).code(), StatusCode::kIoError);
}

TEST_F(AtomicFileTest, ReserveMakesRoomAndRefusesTheAbsurd) {
  auto file = AtomicFile::create(path("out"));
  ASSERT_TRUE(file.ok());
  EXPECT_TRUE(file->reserve(1 << 20).ok());
  EXPECT_EQ(file->reserve(1ull << 62).code(), StatusCode::kNoSpace);
}

TEST_F(AtomicFileTest, MovingKeepsOneTemporaryFile) {
  auto first = AtomicFile::create(path("a"));
  auto second = AtomicFile::create(path("b"));
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(entries(), 2);
  *first = std::move(*second);
  EXPECT_EQ(entries(), 1);
  EXPECT_EQ(first->path(), path("b"));
  ASSERT_TRUE(first->commit(0).ok());
  EXPECT_TRUE(std::filesystem::exists(path("b")));
}

TEST_F(AtomicFileTest, NamesWhatIsWrongWithThePath) {
  EXPECT_EQ(AtomicFile::create(path("missing/out")).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(AtomicFile::create(folder()).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(AtomicFile::check_writable(path("missing/out")).code(), StatusCode::kNotFound);
  EXPECT_TRUE(AtomicFile::check_writable(path("out")).ok());
  EXPECT_EQ(entries(), 0);
}

TEST_F(AtomicFileTest, WritesOutInPiecesThatCanBeCancelled) {
  auto file = AtomicFile::create(path("out"));
  ASSERT_TRUE(file.ok());
  const std::string bytes(5 << 20, 'x');
  ASSERT_TRUE(file->write_at(0, bytes_of(bytes)).ok());
  int pieces = 0;
  EXPECT_TRUE(file->write_out(0, bytes.size(),
                              [&] {
                                ++pieces;
                                return Status();
                              })
                  .ok());
  EXPECT_EQ(pieces, 5);
  const auto stop = [&] { return --pieces < 3 ? error(StatusCode::kCancelled, "stop") : Status(); };
  EXPECT_EQ(file->write_out(0, bytes.size(), stop).code(), StatusCode::kCancelled);
  EXPECT_EQ(pieces, 2);
  ASSERT_TRUE(file->sync().ok());
  file->drop_cached(0, bytes.size());
  ASSERT_TRUE(file->commit(bytes.size()).ok());
  EXPECT_EQ(get(path("out")), bytes);
}

TEST_F(AtomicFileTest, SameFileSeesThroughLinks) {
  put(path("a"), "x");
  put(path("b"), "x");
  std::filesystem::create_symlink(path("a"), path("link"));
  std::filesystem::create_hard_link(path("a"), path("twin"));
  EXPECT_TRUE(is_same_file(path("a"), path("link")));
  EXPECT_TRUE(is_same_file(path("a"), path("twin")));
  EXPECT_TRUE(is_same_file(path("a"), folder() + "/./a"));
  EXPECT_FALSE(is_same_file(path("a"), path("b")));
  EXPECT_FALSE(is_same_file(path("a"), path("missing")));
}

}  // namespace
}  // namespace scrooge
