// SPDX-License-Identifier: Apache-2.0
// Every prefix of a small file, every bit of its superblock and index, and the hostile corpus: no byte outside the
// buffer is read, and what is accepted reads as the library reads it.
#include <gtest/gtest.h>

#include "tests/hostile/hostile_case.h"
#include "tests/hostile/scrooge_damage.h"
#include "tests/reader/comparison.h"
#include "tests/reader/memory_file.h"
#include "tests/support/temp_folder.h"

namespace scrooge::reader_test {
namespace {

using namespace container;  // NOLINT(google-build-using-namespace)

// All that a runtime may do with a file.
scrooge_reader_status use(const MemoryFile& file, scrooge_reader& reader, std::vector<scrooge_reader_name>& room) {
  scrooge_reader_status status = open_and_check(file.bytes(), reader, room);
  if (status != SCROOGE_READER_OK) return status;
  for (uint32_t i = 0; i < reader.segment_count; ++i) {
    scrooge_reader_segment segment;
    status = scrooge_reader_get_segment(&reader, i, &segment);
    if (status != SCROOGE_READER_OK) return status;
    if (segment.kind < SCROOGE_READER_SEGMENT_CONFIG) continue;
    status = scrooge_reader_verify_segment(&segment);
    if (status != SCROOGE_READER_OK) return status;
  }
  for (uint32_t i = 0; i < reader.tensor_count; ++i) {
    scrooge_reader_tensor tensor;
    status = scrooge_reader_get_tensor(&reader, i, &tensor);
    if (status != SCROOGE_READER_OK) return status;
    for (uint32_t j = 0; j < tensor.plane_count; ++j) {
      const scrooge_reader_status plane = scrooge_reader_verify_plane(&tensor.planes[j]);
      if (status == SCROOGE_READER_OK) status = plane;
    }
    std::vector<float> row(std::min<uint64_t>(tensor.cols, 1 << 20));
    (void)scrooge_reader_dequantize_row(&tensor, 0, row.data(), row.size());
    (void)scrooge_reader_dequantize_row(&tensor, tensor.rows - 1, row.data(), row.size());
    if (status != SCROOGE_READER_OK) return status;
  }
  return SCROOGE_READER_OK;
}

class Damage : public testing::Test {
 protected:
  bool is_metadata(uint64_t at) const {
    const auto& s = sample_.superblock;
    return at < s.size || (at >= s.meta_offset && at < s.meta_offset + s.meta_size);
  }

  const hostile::Sample& sample_ = hostile::small_sample();
  scrooge_reader reader_;
  std::vector<scrooge_reader_name> room_;
};

TEST_F(Damage, EveryPrefixIsRefused) {
  MemoryFile file(sample_.file.size());
  for (size_t size = 0; size < sample_.file.size(); ++size) {
    file.put(std::span(sample_.file).first(size));
    const scrooge_reader_status status = file.open(reader_);
    ASSERT_EQ(status, size < 8 ? SCROOGE_READER_NOT_SCROOGE : SCROOGE_READER_WRONG_SIZE) << size;
  }
}

TEST_F(Damage, EveryBitOfTheMetadataIsRefused) {
  const MemoryFile file(sample_.file);
  for (uint64_t at = 0; at < sample_.file.size(); ++at) {
    if (!is_metadata(at)) continue;
    for (int bit = 0; bit < 8; ++bit) {
      file.bytes()[at] ^= static_cast<std::byte>(1 << bit);
      const scrooge_reader_status status = use(file, reader_, room_);
      if (status == SCROOGE_READER_OK) {
        ASSERT_EQ(difference(reader_, sample_.metadata), "") << at << " bit " << bit;
      }
      file.bytes()[at] ^= static_cast<std::byte>(1 << bit);
    }
  }
}

// The checks behind the checksum: whatever the library accepts the reader accepts, and the other way round, and both
// read the same.
TEST_F(Damage, EveryBitOfTheIndexUnderARightChecksumReadsAsTheLibraryReadsIt) {
  const auto& superblock = sample_.superblock;
  MemoryFile file(sample_.file.size());
  size_t accepted = 0;
  for (uint64_t at = superblock.meta_offset; at < superblock.meta_offset + superblock.meta_size; ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      Bytes damaged = sample_.file;
      damaged[at] ^= static_cast<std::byte>(1 << bit);
      reseal(damaged, superblock);
      file.put(damaged);
      const auto library = library_reads(damaged);
      const bool calibration = library.ok() && library->info.is_calibration();
      const scrooge_reader_status opened = open_and_check(file.bytes(), reader_, room_);
      ASSERT_EQ(opened == SCROOGE_READER_OK, library.ok() && !calibration)
          << at - superblock.meta_offset << " bit " << bit << ": " << scrooge_reader_status_string(opened) << "; "
          << library.status().message();
      if (opened != SCROOGE_READER_OK) continue;
      ++accepted;
      ASSERT_EQ(difference(reader_, *library), "") << at - superblock.meta_offset << " bit " << bit;
      (void)use(file, reader_, room_);
    }
  }
  EXPECT_GT(accepted, 1000u);
}

TEST_F(Damage, EveryWordOfTheIndexThatClaimsTheWorstIsSurvived) {
  const auto& superblock = sample_.superblock;
  MemoryFile file(sample_.file.size());
  for (uint64_t at = superblock.meta_offset; at + 4 <= superblock.meta_offset + superblock.meta_size; at += 2) {
    for (const uint32_t value :
         {0u, 1u, 0x7fffffffu, 0x80000000u, 0xffffffffu, 0xfffffffcu, static_cast<uint32_t>(superblock.meta_size),
          static_cast<uint32_t>(superblock.meta_size - (at - superblock.meta_offset))}) {
      Bytes damaged = sample_.file;
      std::memcpy(&damaged[at], &value, sizeof value);
      reseal(damaged, superblock);
      file.put(damaged);
      const auto library = library_reads(damaged);
      if (use(file, reader_, room_) != SCROOGE_READER_OK) continue;
      ASSERT_TRUE(library.ok()) << at - superblock.meta_offset << ": " << value << library.status().message();
      ASSERT_EQ(difference(reader_, *library), "") << at - superblock.meta_offset << ": " << value;
    }
  }
}

bool fits(scrooge_reader_status status, StatusCode code) {
  switch (status) {
    case SCROOGE_READER_OK: return code == StatusCode::kOk;
    case SCROOGE_READER_CHECKSUM: return code == StatusCode::kChecksumMismatch;
    case SCROOGE_READER_UNSUPPORTED_VERSION:
    case SCROOGE_READER_UNSUPPORTED_FEATURE:
    case SCROOGE_READER_UNSUPPORTED_LAYOUT: return code == StatusCode::kUnsupportedVersion;
    default: return code == StatusCode::kBadModelFile && status >= SCROOGE_READER_NOT_SCROOGE;
  }
}

TEST_F(Damage, TheHostileCorpusIsRefused) {
  const hostile::Format format = hostile::scrooge_format();
  const test::TempFolder folder;
  const hostile::Place place(folder.path());
  size_t count = 0;
  for (const hostile::Case& one : format.cases()) {
    one.make(place);
    const MemoryFile file(read_bytes(place.path("model.scrooge")));
    const scrooge_reader_status status = use(file, reader_, room_);
    EXPECT_TRUE(fits(status, one.code)) << one.name << ": " << scrooge_reader_status_string(status) << " instead of "
                                        << status_code_name(one.code);
    ++count;
  }
  EXPECT_GT(count, 90u);
}

// Time must stay linear in the index where its tables, texts and lists lead to one another.
TEST_F(Damage, AnIndexOfOneWordRepeatedIsRefusedAtOnce) {
  Superblock superblock = sample_.superblock;
  superblock.meta_size = 1 << 20;
  superblock.file_size = superblock.meta_offset + superblock.meta_size;
  Bytes damaged(superblock.file_size);
  std::copy_n(sample_.file.begin(), superblock.meta_offset, damaged.begin());
  for (const uint32_t word : {4u, 8u, 16u, 0x00040004u, 0x00080008u, 0x10u << 16 | 4u}) {
    for (size_t at = superblock.meta_offset; at < damaged.size(); at += 4) std::memcpy(&damaged[at], &word, 4);
    std::memcpy(&damaged[superblock.meta_offset + 4], "SCR1", 4);
    reseal(damaged, superblock);
    const MemoryFile file(damaged);
    EXPECT_NE(file.open(reader_), SCROOGE_READER_OK) << word;
  }
}

}  // namespace
}  // namespace scrooge::reader_test
