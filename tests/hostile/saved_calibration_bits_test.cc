// SPDX-License-Identifier: Apache-2.0
// Every prefix of a small file of calibration results, every bit of its superblock and index, and a bit of every other
// byte: an error, or the same content.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/hostile/saved_calibration_damage.h"

namespace scrooge::hostile {
namespace {

using pipeline::SavedBlock;
using pipeline::SavedCalibration;

bool same(const std::vector<SavedBlock>& a, const std::vector<SavedBlock>& b) {
  const auto same_linear = [](const SavedBlock::Linear& x, const SavedBlock::Linear& y) {
    return x.clip_index == y.clip_index && x.clip_ratios == y.clip_ratios;
  };
  const auto same_stage = [&](const SavedBlock::Stage& x, const SavedBlock::Stage& y) {
    return x.scale == y.scale && x.mean == y.mean &&
           std::equal(x.linears.begin(), x.linears.end(), y.linears.begin(), y.linears.end(), same_linear);
  };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](const SavedBlock& x, const SavedBlock& y) {
    return std::equal(x.stages.begin(), x.stages.end(), y.stages.begin(), y.stages.end(), same_stage);
  });
}

class CalibrationBits : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_GE(descriptor_, 0);
    ASSERT_FALSE(sample_.file.empty());
    put(0, sample_.file);
    const auto saved = SavedCalibration::open(path_);
    ASSERT_TRUE(saved.ok()) << saved.status().message();
    auto blocks = pipeline::read_all_blocks(*saved, sample_model());
    ASSERT_TRUE(blocks.ok()) << blocks.status().message();
    blocks_ = std::move(*blocks);
  }
  ~CalibrationBits() override { ::close(descriptor_); }

  void put(uint64_t at, std::span<const std::byte> bytes) {
    ASSERT_EQ(::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(at)),
              static_cast<ssize_t>(bytes.size()));
  }
  void put_flipped(uint64_t at, int bit) {
    const std::byte flipped = sample_.file[at] ^ static_cast<std::byte>(1 << bit);
    put(at, std::span(&flipped, 1));
  }
  void restore(uint64_t at) { put(at, std::span(&sample_.file[at], 1)); }
  bool is_metadata(uint64_t at) const {
    const auto& s = sample_.superblock;
    return at < s.size || (at >= s.meta_offset && at < s.meta_offset + s.meta_size);
  }

  const Sample& sample_ = calibration_sample();
  const int descriptor_ = ::memfd_create("model.calib", MFD_CLOEXEC);
  const std::string path_ = concat("/proc/self/fd/", descriptor_);
  std::vector<SavedBlock> blocks_;
};

TEST_F(CalibrationBits, EveryPrefixIsRefused) {
  for (size_t size = sample_.file.size(); size-- > 0;) {
    ASSERT_EQ(::ftruncate(descriptor_, static_cast<off_t>(size)), 0);
    ASSERT_EQ(SavedCalibration::open(path_).status().code(), StatusCode::kBadModelFile) << size;
  }
}

TEST_F(CalibrationBits, EveryBitOfTheMetadataIsRefusedOrReadsTheSame) {
  for (uint64_t at = 0; at < sample_.file.size(); ++at) {
    if (!is_metadata(at)) continue;
    for (int bit = 0; bit < 8; ++bit) {
      put_flipped(at, bit);
      const auto saved = SavedCalibration::open(path_);
      if (!saved.ok()) continue;
      ASSERT_TRUE(saved->info() == sample_.metadata.info) << at << " bit " << bit;
    }
    restore(at);
  }
}

TEST_F(CalibrationBits, ABitOfEveryOtherByteIsFoundWhereItMatters) {
  size_t found = 0;
  const auto saved = SavedCalibration::open(path_);
  ASSERT_TRUE(saved.ok());
  for (uint64_t at = 0; at < sample_.file.size(); ++at) {
    if (is_metadata(at)) continue;
    put_flipped(at, static_cast<int>(at % 8));
    const auto blocks = pipeline::read_all_blocks(*saved, sample_model());
    if (blocks.ok()) {
      ASSERT_TRUE(same(*blocks, blocks_)) << at;
    } else {
      ASSERT_EQ(blocks.status().code(), StatusCode::kChecksumMismatch) << at;
      ++found;
    }
    restore(at);
  }
  EXPECT_GT(found, 2000u);
}

}  // namespace
}  // namespace scrooge::hostile
