// SPDX-License-Identifier: Apache-2.0
// The numbers of the .scrooge format; schema/README.md explains them.
#pragma once

#include <array>
#include <cstdint>

namespace scrooge::container {

// The non-ASCII first byte and the CR LF SUB catch transfers that take the file for text.
inline constexpr std::array<uint8_t, 8> kMagic = {0x89, 'S', 'C', 'R', 'G', '\r', '\n', 0x1a};
inline constexpr uint16_t kFormatMajor = 1;
inline constexpr uint16_t kFormatMinor = 2;   // the newest that this version writes
inline constexpr uint16_t kLayoutsMinor = 1;  // the first with device layouts
inline constexpr uint16_t kGuardMinor = 2;    // the first that says how it was guarded (has_guard)

inline constexpr uint64_t kSuperblockBytes = 64;
// Zero bytes that follow every segment, so that vector loads may run past the last plane.
inline constexpr uint64_t kSegmentTailBytes = 64;
inline constexpr uint64_t kMaxMetadataBytes = uint64_t{64} << 20;
// Planes above this must be divisible into pieces of whole rows that start on the plane alignment (the smallest
// storage-buffer range that Vulkan guarantees).
inline constexpr uint64_t kMaxPieceBytes = uint64_t{1} << 27;

inline constexpr uint64_t kMaxTensors = 1'000'000;
inline constexpr uint64_t kMaxTextBytes = 64 << 10;

// Bits of required_features: the file holds what a calibration found instead of a model; a scheme in it has another
// layout than the canonical one (tensor_layout.h).
inline constexpr uint64_t kFeatureCalibration = 1;
inline constexpr uint64_t kFeatureLayouts = 2;
// Those that this version understands; a file with any other bit is refused.
inline constexpr uint64_t kKnownRequiredFeatures = kFeatureCalibration | kFeatureLayouts;

// Alignments as base-2 logarithms, as the superblock stores them.
struct Alignment {
  uint8_t segment_log2 = 14;  // 16 KiB: the largest page of phones; 12 (4 KiB) to 16 (64 KiB)
  uint8_t plane_log2 = 8;     // 256 B: CUDA allocations, Vulkan storage-buffer offsets; 8 to segment_log2

  uint64_t segment() const { return uint64_t{1} << segment_log2; }
  uint64_t plane() const { return uint64_t{1} << plane_log2; }
  bool valid() const {
    return segment_log2 >= 12 && segment_log2 <= 16 && plane_log2 >= 8 && plane_log2 <= segment_log2;
  }
  friend bool operator==(const Alignment&, const Alignment&) = default;
};

}  // namespace scrooge::container
