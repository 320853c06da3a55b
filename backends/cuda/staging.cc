// SPDX-License-Identifier: Apache-2.0
#include "backends/cuda/staging.h"

#include <algorithm>
#include <cstring>

namespace scrooge::backend::cuda {

Result<Staging::Piece*> Staging::next(CancelToken* cancel) {
  Piece& piece = pieces_[turn_++ % kPieces];
  if (piece.data == nullptr) {
    SCROOGE_RETURN_IF_ERROR(budget_.reserve(kPiece, "pinned staging"));
    void* data = nullptr;
    const Status status =
        context_.check(context_.api().host_alloc(&data, kPiece, kCuHostAllocPortable), "cuMemHostAlloc");
    if (!status.ok()) {
      budget_.give_back(kPiece);
      return status.with_context("pinned staging");
    }
    piece.data = static_cast<std::byte*>(data);
  }
  if (piece.queue != nullptr) SCROOGE_RETURN_IF_ERROR(piece.queue->finish(piece.ticket, cancel));
  return &piece;
}

Status Staging::upload(Queue& queue, CuAddress to, std::span<const std::byte> from, CancelToken* cancel) {
  for (size_t begin = 0; begin < from.size(); begin += kPiece) {
    SCROOGE_RETURN_IF_ERROR(check_cancelled(cancel));
    const size_t length = std::min<size_t>(kPiece, from.size() - begin);
    SCROOGE_ASSIGN_OR_RETURN(Piece* const piece, next(cancel));
    std::memcpy(piece->data, from.data() + begin, length);
    piece->queue = &queue;
    piece->ticket = queue.next_ticket();
    SCROOGE_RETURN_IF_ERROR(context_.check(
        context_.api().copy_to_device(to + begin, piece->data, length, queue.stream()), "cuMemcpyHtoDAsync"));
    SCROOGE_RETURN_IF_ERROR(queue.mark());
  }
  return {};
}

Status Staging::download(Queue& queue, CuAddress from, std::span<std::byte> to, CancelToken* cancel) {
  Piece* flying[kPieces] = {};
  const size_t count = (to.size() + kPiece - 1) / kPiece;
  const auto length = [&](size_t piece) { return std::min<size_t>(kPiece, to.size() - piece * kPiece); };
  // All pieces but one are on their way while one is copied out.
  for (size_t asked = 0, landed = 0; landed < count;) {
    if (asked < count && asked - landed < kPieces) {
      SCROOGE_RETURN_IF_ERROR(check_cancelled(cancel));
      SCROOGE_ASSIGN_OR_RETURN(Piece* const piece, next(cancel));
      piece->queue = &queue;
      piece->ticket = queue.next_ticket();
      SCROOGE_RETURN_IF_ERROR(
          context_.check(context_.api().copy_to_host(piece->data, from + asked * kPiece, length(asked), queue.stream()),
                         "cuMemcpyDtoHAsync"));
      SCROOGE_RETURN_IF_ERROR(queue.mark());
      flying[asked++ % kPieces] = piece;
      continue;
    }
    const Piece& piece = *flying[landed % kPieces];
    SCROOGE_RETURN_IF_ERROR(queue.finish(piece.ticket, cancel));
    std::memcpy(to.data() + landed * kPiece, piece.data, length(landed));
    ++landed;
  }
  return {};
}

void Staging::close() {
  for (Piece& piece : pieces_) {
    if (piece.data == nullptr) continue;
    (void)context_.api().host_free(piece.data);
    budget_.give_back(kPiece);
    piece = {};
  }
}

}  // namespace scrooge::backend::cuda
