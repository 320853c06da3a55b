// SPDX-License-Identifier: Apache-2.0
// Every prefix of a small file, every bit of its superblock and index, and a bit of every other byte.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "src/container/verify.h"
#include "tests/hostile/scrooge_damage.h"

namespace scrooge::hostile {

namespace {

using container::ModelReader;

// A copy of the sample in memory, to be changed in place: thousands of changes on a disk would take minutes.
class Bits : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_GE(descriptor_, 0);
    put(0, sample_.file);
  }
  ~Bits() override { ::close(descriptor_); }

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

  const Sample& sample_ = small_sample();
  const int descriptor_ = ::memfd_create("model.scrooge", MFD_CLOEXEC);
  const std::string path_ = concat("/proc/self/fd/", descriptor_);
};

TEST_F(Bits, TheUndamagedFileVerifies) {
  const auto verified = container::verify(path_);
  EXPECT_TRUE(verified.ok()) << verified.status().message();
}

TEST_F(Bits, EveryPrefixIsRefused) {
  for (size_t size = sample_.file.size(); size-- > 0;) {
    ASSERT_EQ(::ftruncate(descriptor_, static_cast<off_t>(size)), 0);
    const Status status = ModelReader::open(path_, container::OpenLevel::kBounds).status();
    ASSERT_EQ(status.code(), StatusCode::kBadModelFile) << size << ": " << status.message();
  }
}

TEST_F(Bits, EveryBitOfTheMetadataIsRefusedOrReadsTheSame) {
  for (uint64_t at = 0; at < sample_.file.size(); ++at) {
    if (!is_metadata(at)) continue;
    for (int bit = 0; bit < 8; ++bit) {
      put_flipped(at, bit);
      const auto reader = ModelReader::open(path_);
      if (!reader.ok()) continue;
      ASSERT_TRUE(reader->metadata() == sample_.metadata) << at << " bit " << bit;
    }
    restore(at);
  }
}

TEST_F(Bits, ABitOfEveryOtherByteIsFoundByVerify) {
  for (uint64_t at = 0; at < sample_.file.size(); ++at) {
    if (is_metadata(at)) continue;
    put_flipped(at, static_cast<int>(at % 8));
    const StatusCode code = container::verify(path_).status().code();
    ASSERT_TRUE(code == StatusCode::kChecksumMismatch || code == StatusCode::kBadModelFile) << at;
    restore(at);
  }
}

}  // namespace
}  // namespace scrooge::hostile
