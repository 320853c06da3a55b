// SPDX-License-Identifier: Apache-2.0
// The row-interleaved layout: tiles of R rows, of each row `chunk` bytes in turn. Rows behind the last and bytes behind
// the end of a row are zero.
#include <algorithm>
#include <cstring>

#include "src/container/plane_codec.h"

namespace scrooge::container {
namespace {

constexpr uint64_t kReadBytes = 256 << 10;

// Bytes of rows, and where the same bytes stand in a tile. `move(row, tile, bytes)` copies up to one chunk. The size is
// a constant for the compiler where it can be, or each copy of eight bytes would be a call.
template <uint64_t kSize, typename Row, typename Tile, typename Move>
void each_chunk(Row* rows, uint64_t row_bytes, uint64_t row_count, Tile* tile, uint64_t tile_rows, uint64_t chunk,
                const Move& move) {
  if (kSize != 0) chunk = kSize;
  const uint64_t whole = row_bytes / chunk;
  const uint64_t rest = row_bytes % chunk;
  for (uint64_t r = 0; r < row_count; ++r) {
    Row* row = rows + r * row_bytes;
    Tile* part = tile + r * chunk;
    for (uint64_t j = 0; j < whole; ++j) move(row + j * chunk, part + j * tile_rows * chunk, chunk);
    if (rest > 0) move(row + whole * chunk, part + whole * tile_rows * chunk, rest);
  }
}

template <typename Row, typename Tile, typename Move>
void each_chunk(Row* rows, uint64_t row_bytes, uint64_t row_count, Tile* tile, uint64_t tile_rows, uint64_t chunk,
                const Move& move) {
  switch (chunk) {
    case 1: return each_chunk<1>(rows, row_bytes, row_count, tile, tile_rows, chunk, move);
    case 2: return each_chunk<2>(rows, row_bytes, row_count, tile, tile_rows, chunk, move);
    case 8: return each_chunk<8>(rows, row_bytes, row_count, tile, tile_rows, chunk, move);
    case 12: return each_chunk<12>(rows, row_bytes, row_count, tile, tile_rows, chunk, move);
    default: return each_chunk<0>(rows, row_bytes, row_count, tile, tile_rows, chunk, move);
  }
}

}  // namespace

Status PlaneCodec::read_interleaved(const PlaneRegion& region, const ReadStored& stored,
                                    std::span<std::byte> out) const {
  const uint64_t tile_rows = layout_.rows;
  const uint64_t whole_bytes = tile_bytes(row_bytes_);
  const uint64_t part_bytes = tile_bytes(region.bytes);
  // Whole tiles follow each other, parts of them do not.
  const uint64_t at_once = part_bytes == whole_bytes ? std::max<uint64_t>(1, kReadBytes / whole_bytes) : 1;
  std::vector<std::byte> tiles;
  for (uint64_t row = 0; row < region.rows; row += at_once * tile_rows) {
    const uint64_t rows = std::min(at_once * tile_rows, region.rows - row);
    const uint64_t count = (rows + tile_rows - 1) / tile_rows;
    tiles.resize(count * part_bytes);
    const uint64_t first = (region.row + row) / tile_rows;
    SCROOGE_RETURN_IF_ERROR(stored(first * whole_bytes + region.byte * tile_rows, tiles));
    for (uint64_t tile = 0; tile < count; ++tile) {
      std::byte* const to = out.data() + (row + tile * tile_rows) * region.bytes;
      each_chunk(to, region.bytes, std::min(tile_rows, rows - tile * tile_rows), tiles.data() + tile * part_bytes,
                 tile_rows, chunk_,
                 [](std::byte* line, const std::byte* part, size_t size) { std::memcpy(line, part, size); });
    }
  }
  return {};
}

Status PlaneCodec::take_interleaved(const PlaneRegion& region, std::span<const std::byte> in,
                                    const TakeStored& take) const {
  const uint64_t tile_rows = layout_.rows;
  const uint64_t whole_bytes = tile_bytes(row_bytes_);
  const uint64_t count = (region.rows + tile_rows - 1) / tile_rows;
  std::vector<std::byte> tiles(count * whole_bytes);
  for (uint64_t tile = 0; tile < count; ++tile) {
    const std::byte* const from = in.data() + tile * tile_rows * region.bytes;
    each_chunk(from, region.bytes, std::min(tile_rows, region.rows - tile * tile_rows),
               tiles.data() + tile * whole_bytes, tile_rows, chunk_,
               [](const std::byte* line, std::byte* part, size_t size) { std::memcpy(part, line, size); });
  }
  return take(tiles);
}

}  // namespace scrooge::container
