// SPDX-License-Identifier: Apache-2.0
// Damage of every kind: an error or the same result, never a crash.
#include <fcntl.h>
#include <unistd.h>

#include "tests/unit/container/model_fixture.h"

namespace scrooge::container {
namespace {

// A file kept open for small changes in place.
class Patch {
 public:
  explicit Patch(const std::string& path) : descriptor_(::open(path.c_str(), O_RDWR | O_CLOEXEC)) {}
  ~Patch() { ::close(descriptor_); }
  void write(uint64_t offset, std::span<const std::byte> bytes) {
    ASSERT_EQ(::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset)),
              static_cast<ssize_t>(bytes.size()));
  }
  void cut(uint64_t size) { ASSERT_EQ(::ftruncate(descriptor_, static_cast<off_t>(size)), 0); }

 private:
  int descriptor_;
};

class Damage : public ModelTest {
 protected:
  void SetUp() override {
    ModelTest::SetUp();
    ASSERT_TRUE(write_sample(path()).ok());
    file_ = read_bytes(path());
    superblock_ = *decode_superblock(file_, file_.size(), path());
  }
  // Reads every tensor of a file that opened.
  static void use(const ModelReader& reader) {
    for (const TensorRecord& tensor : reader.tensors()) {
      std::vector<float> row(tensor.description.cols);
      (void)reader.read_rows(tensor, tensor.description.rows - 1, 1, row);
    }
  }

  Bytes file_;
  Superblock superblock_;
};

TEST_F(Damage, EveryTruncationIsAnError) {
  Patch patch(path());
  const uint64_t meta_end = superblock_.meta_offset + superblock_.meta_size;
  std::vector<uint64_t> sizes;
  for (uint64_t size = 0; size <= kSuperblockBytes; ++size) sizes.push_back(size);
  for (uint64_t size = superblock_.meta_offset; size <= meta_end; ++size) sizes.push_back(size);
  sizes.push_back(file_.size() - 1);
  for (auto size = sizes.rbegin(); size != sizes.rend(); ++size) {
    patch.cut(*size);
    const auto opened = ModelReader::open(path(), OpenLevel::kBounds);
    ASSERT_EQ(opened.status().code(), StatusCode::kBadModelFile) << *size;
  }
  // Appended bytes are as wrong as missing ones.
  write_bytes(path(), file_);
  patch.cut(file_.size() + 1);
  EXPECT_EQ(ModelReader::open(path(), OpenLevel::kBounds).status().code(), StatusCode::kBadModelFile);
}

TEST_F(Damage, EveryBitFlipOfSuperblockAndIndexIsFound) {
  Patch patch(path());
  const auto flip_all = [&](uint64_t first, uint64_t size) {
    for (uint64_t at = first; at < first + size; ++at) {
      for (int bit = 0; bit < 8; ++bit) {
        const std::byte flipped = file_[at] ^ static_cast<std::byte>(1 << bit);
        patch.write(at, std::span(&flipped, 1));
        ASSERT_FALSE(ModelReader::open(path()).ok()) << at << " " << bit;
      }
      patch.write(at, std::span(&file_[at], 1));
    }
  };
  flip_all(0, kSuperblockBytes);
  flip_all(superblock_.meta_offset, superblock_.meta_size);
  EXPECT_TRUE(ModelReader::open(path(), OpenLevel::kChecksums).ok());
}

TEST_F(Damage, EveryResealedBitFlipOfTheIndexIsHandled) {
  Patch patch(path());
  Bytes damaged = file_;
  int unknown_layout = 0;
  for (uint64_t at = superblock_.meta_offset; at < superblock_.meta_offset + superblock_.meta_size; ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      damaged[at] ^= static_cast<std::byte>(1 << bit);
      reseal(damaged, superblock_);
      patch.write(0, std::span(damaged).first(kSuperblockBytes));
      patch.write(at, std::span(&damaged[at], 1));
      const auto opened = ModelReader::open(path());
      if (opened.ok()) {
        use(*opened);
      } else {
        ASSERT_FALSE(opened.status().message().empty());
        const bool layout = opened.status().message().find("layout") != std::string_view::npos;
        unknown_layout += opened.status().code() == StatusCode::kUnsupportedVersion && layout;
      }
      damaged[at] = file_[at];
    }
    patch.write(at, std::span(&file_[at], 1));
  }
  EXPECT_GT(unknown_layout, 0);
}

TEST_F(Damage, BoundaryValuesInTheIndexAreHandled) {
  Patch patch(path());
  Bytes damaged = file_;
  const uint64_t end = superblock_.meta_offset + superblock_.meta_size;
  for (const uint32_t value : {0u, 1u, 0x7fffffffu, 0x80000000u, 0xffffffffu, 0x01000000u, 0xfffffffcu}) {
    for (uint64_t at = superblock_.meta_offset; at + 4 <= end; at += 4) {
      std::memcpy(&damaged[at], &value, 4);
      reseal(damaged, superblock_);
      patch.write(0, std::span(damaged).first(kSuperblockBytes));
      patch.write(at, std::span(damaged).subspan(at, 4));
      if (const auto opened = ModelReader::open(path()); opened.ok()) use(*opened);
      patch.write(at, std::span(file_).subspan(at, 4));
      std::memcpy(&damaged[at], &file_[at], 4);
    }
  }
}

TEST_F(Damage, BoundaryValuesInTheSuperblockAreHandled) {
  Patch patch(path());
  const auto expect_refused = [&](auto change) {
    Superblock changed = superblock_;
    change(changed);
    const auto bytes = encode_superblock(changed);
    patch.write(0, bytes);
    EXPECT_FALSE(ModelReader::open(path()).ok());
  };
  for (const uint64_t value : {uint64_t{0}, uint64_t{1}, uint64_t{64}, uint64_t{1} << 31, uint64_t{1} << 32,
                               uint64_t{1} << 63, UINT64_MAX, UINT64_MAX - 16383}) {
    expect_refused([&](Superblock& s) { s.meta_offset = value; });
    expect_refused([&](Superblock& s) { s.meta_size = value; });
    expect_refused([&](Superblock& s) { s.file_size = value; });
  }
  expect_refused([](Superblock& s) { s.size = 63; });
  expect_refused([](Superblock& s) { s.size = 16385; });
  expect_refused([](Superblock& s) { s.flags = 1; });
  expect_refused([](Superblock& s) { s.alignment = {0, 0}; });
  expect_refused([](Superblock& s) { s.alignment = {63, 8}; });
  expect_refused([](Superblock& s) { s.meta_offset = 0; });
}

TEST_F(Damage, EveryPayloadAndPaddingFlipIsFoundByChecksums) {
  Patch patch(path());
  const auto used = superblock_.meta_offset + superblock_.meta_size;
  for (uint64_t at = kSuperblockBytes; at < file_.size(); at += at < 40000 ? 131 : 997) {
    if (at >= superblock_.meta_offset && at < used) continue;
    const std::byte flipped = file_[at] ^ std::byte{0x10};
    patch.write(at, std::span(&flipped, 1));
    EXPECT_TRUE(ModelReader::open(path(), OpenLevel::kStructure).ok());
    const auto code = ModelReader::open(path(), OpenLevel::kChecksums).status().code();
    EXPECT_TRUE(code == StatusCode::kChecksumMismatch || code == StatusCode::kBadModelFile) << at;
    patch.write(at, std::span(&file_[at], 1));
  }
  const auto reader = ModelReader::open(path());
  ASSERT_TRUE(reader.ok());
  for (const TensorRecord& tensor : reader->tensors()) {
    for (const PlaneRecord& plane : tensor.planes) {
      const uint64_t at = plane.offset + plane.size - 1;
      const std::byte flipped = file_[at] ^ std::byte{1};
      patch.write(at, std::span(&flipped, 1));
      const Status status = ModelReader::open(path(), OpenLevel::kChecksums).status();
      EXPECT_EQ(status.code(), StatusCode::kChecksumMismatch);
      EXPECT_NE(status.message().find(tensor.description.name), std::string_view::npos);
      patch.write(at, std::span(&file_[at], 1));
    }
  }
}

TEST_F(Damage, OtherFilesAreRefused) {
  write_bytes(path(), {});
  EXPECT_EQ(ModelReader::open(path()).status().code(), StatusCode::kBadModelFile);
  write_bytes(path(), std::as_bytes(std::span("GGUF\3\0\0\0 and more", 18)));
  EXPECT_EQ(ModelReader::open(path()).status().code(), StatusCode::kBadModelFile);
  EXPECT_EQ(ModelReader::open(path("absent")).status().code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace scrooge::container
