// SPDX-License-Identifier: Apache-2.0
#include "src/container/superblock.h"

#include <algorithm>
#include <concepts>
#include <cstring>

#include "src/base/checked_size.h"
#include "src/base/digest.h"

namespace scrooge::container {
namespace {

// Byte offsets of the fields; schema/README.md has the same table.
constexpr size_t kMajorAt = 8;
constexpr size_t kMinorAt = 10;
constexpr size_t kSizeAt = 12;
constexpr size_t kFlagsAt = 16;
constexpr size_t kAlignmentAt = 20;
constexpr size_t kMetaOffsetAt = 24;
constexpr size_t kMetaSizeAt = 32;
constexpr size_t kFileSizeAt = 40;
constexpr size_t kMetaHashAt = 56;
constexpr size_t kOwnHashAt = 60;

template <std::unsigned_integral T>
void put(std::span<std::byte> bytes, size_t at, T value) {
  for (size_t i = 0; i < sizeof(T); ++i) bytes[at + i] = static_cast<std::byte>(value >> (8 * i));
}

template <std::unsigned_integral T>
T get(std::span<const std::byte> bytes, size_t at) {
  uint64_t value = 0;
  for (size_t i = 0; i < sizeof(T); ++i) value |= static_cast<uint64_t>(bytes[at + i]) << (8 * i);
  return static_cast<T>(value);
}

uint32_t own_hash(std::span<const std::byte> bytes) { return static_cast<uint32_t>(xxh64(bytes.first(kOwnHashAt))); }

Status check_extents(const Superblock& block, uint64_t actual_size, const std::string& path) {
  if (block.size < kSuperblockBytes || block.size > block.alignment.segment()) {
    return error(StatusCode::kBadModelFile, path, ": superblock size is ", block.size, " at byte ", kSizeAt,
                 ", outside 64 to the segment alignment; fetch the file again");
  }
  if (block.file_size != actual_size) {
    return error(StatusCode::kBadModelFile, path, ": file_size says ", block.file_size, " bytes but the file has ",
                 actual_size, "; it was cut short or something was appended, fetch it again");
  }
  const uint64_t segment = block.alignment.segment();
  if (block.file_size % segment != 0) {
    return error(StatusCode::kBadModelFile, path, ": file_size ", block.file_size,
                 " is not a multiple of the segment alignment ", segment, "; fetch the file again");
  }
  if (block.meta_size == 0 || block.meta_size > kMaxMetadataBytes) {
    return error(StatusCode::kBadModelFile, path, ": meta_size ", block.meta_size, " at byte ", kMetaSizeAt,
                 " is outside 1 to ", kMaxMetadataBytes, "; fetch the file again");
  }
  if (block.meta_offset % segment != 0 || block.meta_offset < block.size ||
      !CheckedSize(block.meta_offset).range_fits(block.meta_size, block.file_size)) {
    return error(StatusCode::kBadModelFile, path, ": meta_offset ", block.meta_offset, " at byte ", kMetaOffsetAt,
                 " is misaligned or puts the index outside the file; fetch the file again");
  }
  return {};
}

}  // namespace

std::array<std::byte, kSuperblockBytes> encode_superblock(const Superblock& superblock) {
  std::array<std::byte, kSuperblockBytes> bytes{};
  std::memcpy(bytes.data(), kMagic.data(), kMagic.size());
  put(bytes, kMajorAt, superblock.version_major);
  put(bytes, kMinorAt, superblock.version_minor);
  put(bytes, kSizeAt, superblock.size);
  put(bytes, kFlagsAt, superblock.flags);
  put(bytes, kAlignmentAt, superblock.alignment.segment_log2);
  put(bytes, kAlignmentAt + 1, superblock.alignment.plane_log2);
  put(bytes, kMetaOffsetAt, superblock.meta_offset);
  put(bytes, kMetaSizeAt, superblock.meta_size);
  put(bytes, kFileSizeAt, superblock.file_size);
  put(bytes, kMetaHashAt, superblock.meta_xxh64);
  put(bytes, kOwnHashAt, own_hash(bytes));
  return bytes;
}

Result<Superblock> decode_superblock(std::span<const std::byte> head, uint64_t file_size, const std::string& path) {
  if (head.size() < kMagic.size() || std::memcmp(head.data(), kMagic.data(), kMagic.size()) != 0) {
    return error(StatusCode::kBadModelFile, path, ": does not start with the .scrooge magic; give a .scrooge file");
  }
  if (head.size() < kSuperblockBytes) {
    return error(StatusCode::kBadModelFile, path, ": ends inside the superblock, at byte ", head.size(),
                 "; fetch the file again");
  }
  const auto bytes = head.first(kSuperblockBytes);
  Superblock block;
  block.version_major = get<uint16_t>(bytes, kMajorAt);
  block.version_minor = get<uint16_t>(bytes, kMinorAt);
  if (block.version_major != kFormatMajor) {
    return error(StatusCode::kUnsupportedVersion, path, ": format version ", block.version_major, ".",
                 block.version_minor, ", but this library reads version ", kFormatMajor, "; update the library");
  }
  if (get<uint32_t>(bytes, kOwnHashAt) != own_hash(bytes)) {
    return error(StatusCode::kChecksumMismatch, path, ": the superblock is damaged (its checksum at byte ", kOwnHashAt,
                 " does not match); fetch the file again");
  }
  block.size = get<uint32_t>(bytes, kSizeAt);
  block.flags = get<uint32_t>(bytes, kFlagsAt);
  if (block.flags != 0) {
    return error(StatusCode::kUnsupportedVersion, path, ": superblock flags ", block.flags, " at byte ", kFlagsAt,
                 " are unknown to this version; update the library");
  }
  block.alignment.segment_log2 = get<uint8_t>(bytes, kAlignmentAt);
  block.alignment.plane_log2 = get<uint8_t>(bytes, kAlignmentAt + 1);
  if (!block.alignment.valid() || get<uint16_t>(bytes, kAlignmentAt + 2) != 0) {
    return error(StatusCode::kBadModelFile, path, ": the alignments at byte ", kAlignmentAt,
                 " are out of range; fetch the file again");
  }
  block.meta_offset = get<uint64_t>(bytes, kMetaOffsetAt);
  block.meta_size = get<uint64_t>(bytes, kMetaSizeAt);
  block.file_size = get<uint64_t>(bytes, kFileSizeAt);
  block.meta_xxh64 = get<uint32_t>(bytes, kMetaHashAt);
  SCROOGE_RETURN_IF_ERROR(check_extents(block, file_size, path));
  return block;
}

}  // namespace scrooge::container
