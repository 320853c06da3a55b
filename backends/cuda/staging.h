// SPDX-License-Identifier: Apache-2.0
// Pinned host memory between the caller's pages and the card: a few pieces used in turn, so that filling one overlaps
// with the transfer of another. Taken from the driver when first needed.
#pragma once

#include <array>
#include <span>

#include "backends/cuda/queue.h"
#include "src/base/memory_budget.h"

namespace scrooge::backend::cuda {

class Staging {
 public:
  static constexpr uint64_t kPiece = uint64_t{8} << 20;
  static constexpr size_t kPieces = 3;

  // `budget` counts the pinned memory. Both outlive it; the context is current in every call.
  Staging(DriverContext& context, MemoryBudget& budget) : context_(context), budget_(budget) {}
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  // Transfers on `queue`; `to` and `from` are at most any size. `upload` returns when `from` may be reused.
  Status upload(Queue& queue, CuAddress to, std::span<const std::byte> from, CancelToken* cancel);
  Status download(Queue& queue, CuAddress from, std::span<std::byte> to, CancelToken* cancel);
  // REQUIRES: no transfer is under way.
  void close();

 private:
  struct Piece {
    std::byte* data = nullptr;
    Queue* queue = nullptr;
    uint64_t ticket = 0;
  };

  // The next piece, no longer in use.
  Result<Piece*> next(CancelToken* cancel);

  DriverContext& context_;
  MemoryBudget& budget_;
  std::array<Piece, kPieces> pieces_;
  size_t turn_ = 0;
};

}  // namespace scrooge::backend::cuda
