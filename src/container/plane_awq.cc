// SPDX-License-Identifier: Apache-2.0
// AutoAWQ's word order: of each column of codes (or zeros) the rows eight to a word, of each group the scales of all
// rows.
#include <algorithm>
#include <array>
#include <cstring>

#include "src/container/plane_codec.h"

namespace scrooge::container {
namespace {

constexpr uint64_t kReadBytes = 256 << 10;
constexpr size_t kLane = 8;  // rows of a word, and columns that are turned at once
// Nibble i of a word holds row kOrder[i] of its eight.
constexpr std::array<size_t, kLane> kOrder = {0, 2, 4, 6, 1, 3, 5, 7};

using Words = std::array<uint32_t, kLane>;

// An 8 x 8 matrix of nibbles, a word each row, transposed by swapping blocks of 4, 2 and 1: nibble k of word i goes to
// nibble i of word k.
void transpose(Words& words) {
  const auto swap = [&](size_t distance, int shift, uint32_t mask) {
    for (size_t i = 0; i < kLane; ++i) {
      if ((i & distance) != 0) continue;
      const uint32_t differ = ((words[i] >> shift) ^ words[i + distance]) & mask;
      words[i + distance] ^= differ;
      words[i] ^= differ << shift;
    }
  };
  swap(4, 16, 0x0000ffff);
  swap(2, 8, 0x00ff00ff);
  swap(1, 4, 0x0f0f0f0f);
}

}  // namespace

Status PlaneCodec::read_words(const PlaneRegion& region, const ReadStored& stored, std::span<std::byte> out) const {
  const uint64_t line = rows_ / 2;  // stored bytes of one column
  const uint64_t part = region.rows / 2;
  const uint64_t first = 2 * region.byte;
  const uint64_t columns = std::min(2 * region.bytes, elements_ - first);
  // Columns follow each other where all rows are wanted.
  const uint64_t at_once = std::max<uint64_t>(1, (part == line ? kReadBytes : 0) / (kLane * part)) * kLane;
  std::vector<std::byte> lines(at_once * part);
  for (uint64_t column = 0; column < columns; column += at_once) {
    const uint64_t count = std::min(at_once, columns - column);
    std::fill(lines.begin(), lines.end(), std::byte{0});  // columns behind the last
    for (uint64_t k = 0; k < count; k += part == line ? count : 1) {
      const auto bytes = std::span(lines).subspan(k * part, part == line ? count * part : part);
      SCROOGE_RETURN_IF_ERROR(stored((first + column + k) * line + region.row / 2, bytes));
    }
    for (uint64_t strip = 0; strip < count; strip += kLane) {
      const uint64_t byte = (column + strip) / 2;
      const auto size = static_cast<size_t>(std::min<uint64_t>(4, region.bytes - byte));
      for (uint64_t j = 0; j < region.rows / kLane; ++j) {
        Words words;
        for (size_t k = 0; k < kLane; ++k) std::memcpy(&words[k], &lines[(strip + k) * part + 4 * j], 4);
        transpose(words);
        for (size_t i = 0; i < kLane; ++i) {
          std::memcpy(&out[(kLane * j + kOrder[i]) * region.bytes + byte], &words[i], size);
        }
      }
    }
  }
  return {};
}

Status PlaneCodec::take_words(const PlaneRegion& region, std::span<const std::byte> in, const TakeStored& take) const {
  const uint64_t line = rows_ / 2;
  const uint64_t columns = std::min(2 * region.bytes, elements_ - 2 * region.byte);
  std::vector<std::byte> out(columns * line);
  for (uint64_t strip = 0; strip < columns; strip += kLane) {
    const auto size = static_cast<size_t>(std::min<uint64_t>(4, region.bytes - strip / 2));
    const auto count = static_cast<size_t>(std::min<uint64_t>(kLane, columns - strip));
    for (uint64_t j = 0; j < rows_ / kLane; ++j) {
      Words words{};
      for (size_t i = 0; i < kLane; ++i) {
        std::memcpy(&words[i], &in[(kLane * j + kOrder[i]) * region.bytes + strip / 2], size);
      }
      transpose(words);
      for (size_t k = 0; k < count; ++k) std::memcpy(&out[(strip + k) * line + 4 * j], &words[k], 4);
    }
  }
  return take(out);
}

Status PlaneCodec::read_transposed(const PlaneRegion& region, const ReadStored& stored,
                                   std::span<std::byte> out) const {
  std::vector<std::byte> line(2 * region.rows);
  for (uint64_t byte = 0; byte < region.bytes; byte += 2) {
    SCROOGE_RETURN_IF_ERROR(stored((region.byte + byte) * rows_ + 2 * region.row, line));
    for (uint64_t row = 0; row < region.rows; ++row) std::memcpy(&out[row * region.bytes + byte], &line[2 * row], 2);
  }
  return {};
}

Status PlaneCodec::take_transposed(const PlaneRegion& region, std::span<const std::byte> in,
                                   const TakeStored& take) const {
  std::vector<std::byte> out(in.size());
  for (uint64_t byte = 0; byte < region.bytes; byte += 2) {
    std::byte* const line = out.data() + byte * rows_;
    for (uint64_t row = 0; row < rows_; ++row) std::memcpy(line + 2 * row, &in[row * region.bytes + byte], 2);
  }
  return take(out);
}

}  // namespace scrooge::container
