// SPDX-License-Identifier: Apache-2.0
// The first 64 bytes of a file: what it is, how long it must be, and where its index lies.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "src/base/result.h"
#include "src/container/format.h"

namespace scrooge::container {

struct Superblock {
  uint16_t version_major = kFormatMajor;
  uint16_t version_minor = 0;
  uint32_t size = kSuperblockBytes;
  uint32_t flags = 0;
  Alignment alignment;
  uint64_t meta_offset = 0;
  uint64_t meta_size = 0;
  uint64_t file_size = 0;
  uint32_t meta_xxh64 = 0;  // low half
};

// Also writes the checksum of the superblock itself.
std::array<std::byte, kSuperblockBytes> encode_superblock(const Superblock& superblock);

// Reads and checks the superblock at the start of `head`, the first 64 bytes of a file or all of a shorter one.
// kBadModelFile when
// it is not a .scrooge file, damaged or truncated; kUnsupportedVersion for a newer major version or unknown flags.
// `path` is for messages.
Result<Superblock> decode_superblock(std::span<const std::byte> head, uint64_t file_size, const std::string& path);

}  // namespace scrooge::container
