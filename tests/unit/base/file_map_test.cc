// SPDX-License-Identifier: Apache-2.0
#include "src/base/file_map.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>

#include "tests/unit/base/scratch_files.h"

namespace scrooge {
namespace {

class FileMapTest : public ScratchFiles {};

TEST_F(FileMapTest, MapsAndReadsRanges) {
  put(path("in"), "0123456789");
  auto map = FileMap::open(path("in"));
  ASSERT_TRUE(map.ok()) << map.status().message();
  EXPECT_EQ(map->size(), 10u);
  EXPECT_EQ(map->path(), path("in"));
  EXPECT_EQ(map->bytes()[3], std::byte('3'));
  std::array<std::byte, 4> part;
  ASSERT_TRUE(map->read(6, part).ok());
  EXPECT_EQ(part[0], std::byte('6'));
  EXPECT_TRUE(map->check_unchanged().ok());
  const FileMap moved = std::move(*map);
  EXPECT_EQ(moved.bytes()[9], std::byte('9'));
}

TEST_F(FileMapTest, AnEmptyFileIsAnEmptySpan) {
  put(path("in"), "");
  const auto map = FileMap::open(path("in"));
  ASSERT_TRUE(map.ok());
  EXPECT_TRUE(map->bytes().empty());
  EXPECT_TRUE(map->check_unchanged().ok());
}

TEST_F(FileMapTest, NamesWhatIsWrongWithThePath) {
  const auto missing = FileMap::open(path("missing"));
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.status().code(), StatusCode::kNotFound);
  EXPECT_TRUE(missing.status().message().starts_with(path("missing")));
  EXPECT_EQ(FileMap::open(folder()).status().code(), StatusCode::kInvalidArgument);
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  EXPECT_EQ(FileMap::open(path("pipe")).status().code(), StatusCode::kInvalidArgument);
}

TEST_F(FileMapTest, SeesThatTheFileChanged) {
  put(path("in"), "0123456789");
  const auto map = FileMap::open(path("in"));
  ASSERT_TRUE(map.ok());
  std::filesystem::resize_file(path("in"), 4);
  EXPECT_EQ(map->check_unchanged().code(), StatusCode::kSourceChanged);
  std::array<std::byte, 4> part;
  EXPECT_EQ(map->read(6, part).code(), StatusCode::kSourceChanged);
  EXPECT_TRUE(map->read(0, part).ok());
}

TEST_F(FileMapTest, ALinkOrOtherRightsAreNoChangeAndAForgedTimeIs) {
  put(path("in"), "0123456789");
  const auto map = FileMap::open(path("in"));
  ASSERT_TRUE(map.ok());
  std::filesystem::create_hard_link(path("in"), path("backup"));
  EXPECT_TRUE(map->check_unchanged().ok());
  std::filesystem::permissions(path("in"), std::filesystem::perms::owner_read);
  EXPECT_TRUE(map->check_unchanged().ok());

  put(path("other"), "0123456789");
  const auto written = FileMap::open(path("other"));
  ASSERT_TRUE(written.ok());
  struct stat before {};
  ASSERT_EQ(::stat(path("other").c_str(), &before), 0);
  put(path("other"), "9876543210");
  const timespec times[] = {before.st_atim, before.st_mtim};
  ASSERT_EQ(::utimensat(AT_FDCWD, path("other").c_str(), times, 0), 0);
  EXPECT_EQ(written->check_unchanged().code(), StatusCode::kSourceChanged);
}

TEST_F(FileMapTest, HintsNeverChangeTheContent) {
  std::string content(3 * 4096 + 100, 'x');
  content.back() = 'y';
  put(path("in"), content);
  const auto map = FileMap::open(path("in"));
  ASSERT_TRUE(map.ok());
  map->prefetch(0, content.size());
  map->prefetch(5000, 1ull << 60);
  map->prefetch(1ull << 60, 1);
  for (const uint64_t offset : {uint64_t{0}, uint64_t{1}, uint64_t{4096}, uint64_t{12000}, uint64_t{1} << 60}) {
    map->drop(offset, 5000);
  }
  EXPECT_TRUE(std::ranges::equal(map->bytes(), std::as_bytes(std::span(content))));
}

TEST_F(FileMapTest, SmallFilesHaveALimit) {
  put(path("in"), "0123456789");
  const auto whole = read_small_file(path("in"), 10);
  ASSERT_TRUE(whole.ok());
  EXPECT_EQ(*whole, "0123456789");
  EXPECT_EQ(read_small_file(path("in"), 9).status().code(), StatusCode::kInvalidArgument);
}

TEST_F(FileMapTest, ErrorNumbersBecomeStatusCodes) {
  EXPECT_EQ(io_error("f", "open", ENOENT).code(), StatusCode::kNotFound);
  EXPECT_EQ(io_error("f", "open", EACCES).code(), StatusCode::kPermissionDenied);
  EXPECT_EQ(io_error("f", "write", ENOSPC).code(), StatusCode::kNoSpace);
  EXPECT_EQ(io_error("f", "write", EIO).code(), StatusCode::kIoError);
  EXPECT_TRUE(io_error("f", "write", EIO).message().starts_with("f: cannot write: "));
}

}  // namespace
}  // namespace scrooge
