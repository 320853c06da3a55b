// SPDX-License-Identifier: Apache-2.0
// A plane of a quantized tensor in the order of its layout, to and from canonical rows, tile by tile: the one place
// that knows where each layout puts which byte. Who has canonical rows (a job that quantizes, a file that is repacked)
// and who wants some (dequantization) need no more than regions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "src/base/status.h"
#include "src/container/model_metadata.h"

namespace scrooge::container {

// Rows [row, row + rows) and of each the bytes [byte, byte + bytes), of a plane in the canonical layout. Its content is
// rows * bytes bytes, row after row.
struct PlaneRegion {
  uint64_t row = 0;
  uint64_t rows = 0;
  uint64_t byte = 0;
  uint64_t bytes = 0;
  uint64_t size() const { return rows * bytes; }
};

// Where regions may be cut: at multiples of so many rows and bytes.
struct PlaneStep {
  uint64_t rows = 1;
  uint64_t bytes = 1;
};

// Fills `out` with a region.
using ReadRegion = std::function<Status(const PlaneRegion& region, std::span<std::byte> out)>;
// Fills `out` with bytes of the plane as stored, from `offset` in it.
using ReadStored = std::function<Status(uint64_t offset, std::span<std::byte> out)>;
// Takes the next bytes of the plane as stored.
using TakeStored = std::function<Status(std::span<const std::byte> bytes)>;

// Codes, scales or zeros. Immutable; any thread.
class PlaneCodec {
 public:
  // REQUIRES: plane_geometry(description) succeeded and has a plane of this kind.
  PlaneCodec(const TensorDescription& description, PlaneKind kind);

  uint64_t rows() const { return rows_; }            // N
  uint64_t row_bytes() const { return row_bytes_; }  // of a canonical row
  PlaneStep step() const { return step_; }

  // A region of the stored plane. Holds about 256 KiB, or a tile of the region's width, while it runs. Errors are those
  // of `stored`. REQUIRES: the region lies in the plane and its row and byte are multiples of step(), as its rows and
  // bytes are where it does not reach the end.
  Status read(const PlaneRegion& region, const ReadStored& stored, std::span<std::byte> out) const;

  // The whole stored plane from canonical regions: `take` gets it front to back, and `rows` is asked for what that
  // needs, in regions that are cut at multiples of step() and of `step` and hold at most `room` bytes, unless the
  // fewest rows or bytes that can be cut are more. Holds twice that while it runs. Errors are those of both.
  Status write(const ReadRegion& rows, const TakeStored& take, uint64_t room, PlaneStep step = {}) const;
  // The size of the largest region that write() asks for.
  uint64_t largest_region(uint64_t room, PlaneStep step = {}) const { return largest(room, step).size(); }
  // What it holds beside that, to put the region in order: nothing in the canonical layout.
  uint64_t reordered_bytes(uint64_t room, PlaneStep step = {}) const;

  // A region of the zeros plane that a symmetric tensor has in the AutoAWQ layout alone: every zero is 8.
  void symmetric_zeros(const PlaneRegion& region, std::span<std::byte> out) const;

 private:
  // plane_interleaved.cc
  Status read_interleaved(const PlaneRegion& region, const ReadStored& stored, std::span<std::byte> out) const;
  Status take_interleaved(const PlaneRegion& region, std::span<const std::byte> in, const TakeStored& take) const;
  // plane_awq.cc
  Status read_words(const PlaneRegion& region, const ReadStored& stored, std::span<std::byte> out) const;
  Status read_transposed(const PlaneRegion& region, const ReadStored& stored, std::span<std::byte> out) const;
  Status take_words(const PlaneRegion& region, std::span<const std::byte> in, const TakeStored& take) const;
  Status take_transposed(const PlaneRegion& region, std::span<const std::byte> in, const TakeStored& take) const;
  PlaneRegion largest(uint64_t room, PlaneStep step) const;
  uint64_t tile_bytes(uint64_t bytes) const { return (bytes + chunk_ - 1) / chunk_ * chunk_ * layout_.rows; }

  PlaneKind kind_;
  TensorLayout layout_;
  uint64_t rows_;
  uint64_t elements_;   // of a row: K or P
  uint64_t row_bytes_;  // canonical
  uint64_t chunk_ = 0;  // interleaved: bytes of a row that stay together
  PlaneStep step_;
};

}  // namespace scrooge::container
