// SPDX-License-Identifier: Apache-2.0
// The bytes of each layout, written out by hand; what a codec reads is what it wrote, whatever the cuts.
#include "src/container/plane_codec.h"

#include <gtest/gtest.h>

#include <numeric>

#include "src/tensor/pack_bits.h"
#include "tests/support/model_file.h"

namespace scrooge::container {
namespace {

Bytes bytes_of(std::initializer_list<int> values) {
  Bytes out;
  for (const int value : values) out.push_back(static_cast<std::byte>(value));
  return out;
}

// A stored plane from canonical rows in memory.
Bytes stored(const PlaneCodec& codec, const Bytes& canonical, uint64_t room = 1 << 20, PlaneStep step = {}) {
  Bytes out;
  const Status status = codec.write(
      [&](const PlaneRegion& region, std::span<std::byte> to) {
        EXPECT_EQ(region.row % codec.step().rows, 0u);
        EXPECT_EQ(region.row % step.rows, 0u);
        EXPECT_EQ(region.byte % codec.step().bytes, 0u);
        EXPECT_EQ(region.byte % step.bytes, 0u);
        EXPECT_EQ(to.size(), region.size());
        EXPECT_LE(region.size(), codec.largest_region(room, step));
        for (uint64_t row = 0; row < region.rows; ++row) {
          std::memcpy(&to[row * region.bytes], &canonical[(region.row + row) * codec.row_bytes() + region.byte],
                      region.bytes);
        }
        return Status();
      },
      [&](std::span<const std::byte> bytes) {
        out.insert(out.end(), bytes.begin(), bytes.end());
        return Status();
      },
      room, step);
  EXPECT_TRUE(status.ok()) << status.message();
  return out;
}

TensorDescription tensor(int bits, uint64_t rows, uint64_t cols, TensorLayout layout, bool symmetric = false,
                         int64_t group = 8) {
  QuantSpec spec;
  spec.bits = bits;
  spec.group = group;
  spec.symmetric = symmetric;
  auto description = quantized("t", rows, cols, spec);
  description.layout = layout;
  return description;
}

uint64_t size_of(const TensorDescription& description, PlaneKind kind) {
  const auto geometry = plane_geometry(description);
  EXPECT_TRUE(geometry.ok()) << geometry.status().message();
  if (!geometry.ok()) return 0;
  for (const PlaneGeometry& plane : *geometry) {
    if (plane.kind == kind) return plane.size;
  }
  return 0;
}

TEST(PlaneCodec, InterleavesFourRowsByChunksAndPadsBoth) {
  const auto description = tensor(8, 3, 5, {LayoutId::kInterleaved, 4, 4});
  const Bytes canonical = bytes_of({0x00, 1, 2, 3, 4, 0x10, 0x11, 0x12, 0x13, 0x14, 0x20, 0x21, 0x22, 0x23, 0x24});
  const Bytes expected = bytes_of({0x00, 1, 2, 3, 0x10, 0x11, 0x12, 0x13, 0x20, 0x21, 0x22, 0x23, 0, 0, 0, 0,  //
                                   0x04, 0, 0, 0, 0x14, 0,    0,    0,    0x24, 0,    0,    0,    0, 0, 0, 0});
  EXPECT_EQ(size_of(description, PlaneKind::kCodes), expected.size());
  EXPECT_EQ(stored(PlaneCodec(description, PlaneKind::kCodes), canonical), expected);
}

TEST(PlaneCodec, InterleavesTheScalesOfAGroupAndTheBytesOfZeros) {
  // Three groups; scales are two bytes each, zeros of a row two bytes.
  const auto description = tensor(4, 2, 24, {LayoutId::kInterleaved, 4, 8});
  const Bytes scales = bytes_of({1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15, 16});
  EXPECT_EQ(stored(PlaneCodec(description, PlaneKind::kScales), scales),
            bytes_of({1, 2, 11, 12, 0, 0, 0, 0, 3, 4, 13, 14, 0, 0, 0, 0, 5, 6, 15, 16, 0, 0, 0, 0}));
  const Bytes zeros = bytes_of({0x21, 0x03, 0x54, 0x06});
  EXPECT_EQ(stored(PlaneCodec(description, PlaneKind::kZeros), zeros), bytes_of({0x21, 0x54, 0, 0, 0x03, 0x06, 0, 0}));
}

// Word of AutoAWQ: nibbles from the lowest hold rows 0, 2, 4, 6, 1, 3, 5, 7.
TEST(PlaneCodec, HasTheWordOrderOfAutoAwq) {
  const auto description = tensor(4, 8, 3, {LayoutId::kAwq, 0, 0});
  Bytes canonical;  // row n has the codes n, 15 - n, 3
  for (int n = 0; n < 8; ++n) {
    canonical.push_back(static_cast<std::byte>(n | (15 - n) << 4));
    canonical.push_back(std::byte{3});
  }
  const Bytes expected = bytes_of({0x20, 0x64, 0x31, 0x75, 0xdf, 0x9b, 0xce, 0x8a, 0x33, 0x33, 0x33, 0x33});
  EXPECT_EQ(size_of(description, PlaneKind::kCodes), expected.size());
  EXPECT_EQ(stored(PlaneCodec(description, PlaneKind::kCodes), canonical), expected);
}

// The loop of awq/modules/linear/gemm.py, as it stands in the reference notes.
TEST(PlaneCodec, AgreesWithAutoAwqsOwnPacking) {
  constexpr uint64_t kRows = 24, kCols = 41, kGroups = 6;
  const auto description = tensor(4, kRows, kCols, {LayoutId::kAwq, 0, 0});
  std::mt19937 random(5);
  const auto check = [&](PlaneKind kind, uint64_t columns) {
    std::vector<uint8_t> codes(kRows * columns);
    for (uint8_t& code : codes) code = static_cast<uint8_t>(random() & 15);
    Bytes canonical;
    for (uint64_t n = 0; n < kRows; ++n) {
      std::vector<uint8_t> row((columns + 1) / 2);
      pack_bits(std::span(codes).subspan(n * columns, columns), 4, row);
      for (const uint8_t byte : row) canonical.push_back(std::byte{byte});
    }
    static constexpr int kOrderMap[] = {0, 2, 4, 6, 1, 3, 5, 7};
    Bytes expected;
    for (uint64_t k = 0; k < columns; ++k) {
      for (uint64_t column = 0; column < kRows / 8; ++column) {
        uint32_t word = 0;
        for (int i = 0; i < 8; ++i) {
          const uint64_t n = column * 8 + static_cast<uint64_t>(kOrderMap[i]);
          word |= static_cast<uint32_t>(codes[n * columns + k]) << (i * 4);
        }
        for (int b = 0; b < 4; ++b) expected.push_back(static_cast<std::byte>(word >> (8 * b)));
      }
    }
    EXPECT_EQ(stored(PlaneCodec(description, kind), canonical), expected);
  };
  check(PlaneKind::kCodes, kCols);
  check(PlaneKind::kZeros, kGroups);
}

TEST(PlaneCodec, TurnsTheScalesOfAutoAwq) {
  const auto description = tensor(4, 8, 9, {LayoutId::kAwq, 0, 0});
  Bytes canonical, expected;
  for (int n = 0; n < 8; ++n) {
    for (int p = 0; p < 2; ++p) canonical.insert(canonical.end(), {std::byte(n), std::byte(p)});
  }
  for (int p = 0; p < 2; ++p) {
    for (int n = 0; n < 8; ++n) expected.insert(expected.end(), {std::byte(n), std::byte(p)});
  }
  EXPECT_EQ(stored(PlaneCodec(description, PlaneKind::kScales), canonical), expected);
}

TEST(PlaneCodec, ZerosOfASymmetricTensorAreEight) {
  const auto description = tensor(4, 8, 24, {LayoutId::kAwq, 0, 0}, true);
  EXPECT_EQ(size_of(description, PlaneKind::kZeros), 3u * 4);
  const PlaneCodec codec(description, PlaneKind::kZeros);
  Bytes row(8 * 2);
  codec.symmetric_zeros({0, 8, 0, 2}, row);
  for (size_t n = 0; n < 8; ++n) {
    EXPECT_EQ(row[2 * n], std::byte{0x88});
    EXPECT_EQ(row[2 * n + 1], std::byte{0x08});  // a row has three groups
  }
  EXPECT_EQ(stored(codec, row), Bytes(12, std::byte{0x88}));
}

std::vector<TensorLayout> layouts_for(int bits, uint64_t rows) {
  std::vector<TensorLayout> out = {{}};
  for (const uint16_t tile : {4, 8}) {
    for (const uint16_t chunk : {4, 8, 12, 64}) {
      if (bits != 3 || chunk == 12) out.push_back({LayoutId::kInterleaved, tile, chunk});
    }
  }
  if (bits == 4 && rows % 8 == 0) out.push_back({LayoutId::kAwq, 0, 0});
  return out;
}

TEST(PlaneCodec, ReadsBackEveryRegionOfWhatItWrote) {
  std::mt19937 random(11);
  for (const int bits : {2, 3, 4, 8}) {
    for (const auto& [rows, cols] : {std::pair<uint64_t, uint64_t>{1, 1}, {5, 67}, {24, 131}, {16, 32}, {8, 9}}) {
      for (const TensorLayout& layout : layouts_for(bits, rows)) {
        const auto description = tensor(bits, rows, cols, layout, false, 16);
        for (const PlaneKind kind : {PlaneKind::kCodes, PlaneKind::kScales, PlaneKind::kZeros}) {
          SCOPED_TRACE(concat(layout_name(layout), " chunk ", layout.chunk, " ", plane_kind_name(kind), " of ", bits,
                              " bits, ", rows, " x ", cols));
          const PlaneCodec codec(description, kind);
          Bytes canonical(rows * codec.row_bytes());
          for (std::byte& byte : canonical) byte = static_cast<std::byte>(random());
          const uint64_t elements = kind == PlaneKind::kCodes ? cols : (cols + 15) / 16;
          const uint64_t left = kind == PlaneKind::kScales ? 0 : elements * static_cast<uint64_t>(bits) % 8;
          for (uint64_t n = 1; n <= rows && left > 0; ++n) {  // bits behind the last element are zero
            canonical[n * codec.row_bytes() - 1] &= static_cast<std::byte>((1 << left) - 1);
          }
          const Bytes plane = stored(codec, canonical);
          EXPECT_EQ(plane.size(), size_of(description, kind));
          // Small rooms, and the cuts of another codec's source.
          EXPECT_EQ(stored(codec, canonical, 1), plane);
          EXPECT_EQ(stored(codec, canonical, 100, {8, bits == 3 ? 12u : 8u}), plane);

          const ReadStored read = [&](uint64_t offset, std::span<std::byte> out) -> Status {
            if (offset > plane.size() || out.size() > plane.size() - offset) {
              return error(StatusCode::kInternal, "read past the plane");
            }
            std::memcpy(out.data(), &plane[offset], out.size());
            return {};
          };
          const PlaneStep step = codec.step();
          for (int i = 0; i < 12; ++i) {
            PlaneRegion region;
            region.row = random() % rows / step.rows * step.rows;
            region.byte = random() % codec.row_bytes() / step.bytes * step.bytes;
            const uint64_t more_rows = (1 + random() % rows + step.rows - 1) / step.rows * step.rows;
            const uint64_t more_bytes = (1 + random() % codec.row_bytes() + step.bytes - 1) / step.bytes * step.bytes;
            region.rows = std::min(rows - region.row, more_rows);
            region.bytes = std::min(codec.row_bytes() - region.byte, more_bytes);
            Bytes out(region.size());
            const Status status = codec.read(region, read, out);
            ASSERT_TRUE(status.ok()) << status.message();
            for (uint64_t n = 0; n < region.rows; ++n) {
              ASSERT_EQ(0, std::memcmp(&out[n * region.bytes],
                                       &canonical[(region.row + n) * codec.row_bytes() + region.byte], region.bytes));
            }
          }
        }
      }
    }
  }
}

TEST(PlaneCodec, GoesOnWithErrorsOfBothSides) {
  const auto description = tensor(4, 8, 32, {LayoutId::kInterleaved, 4, 8});
  const PlaneCodec codec(description, PlaneKind::kCodes);
  const auto no = [](const auto&...) { return error(StatusCode::kIoError, "no"); };
  const auto yes = [](const auto&...) { return Status(); };
  EXPECT_EQ(codec.write(no, yes, 1 << 20).code(), StatusCode::kIoError);
  EXPECT_EQ(codec.write(yes, no, 1 << 20).code(), StatusCode::kIoError);
  Bytes out(8 * 16);
  EXPECT_EQ(codec.read({0, 8, 0, 16}, no, out).code(), StatusCode::kIoError);
}

}  // namespace
}  // namespace scrooge::container
