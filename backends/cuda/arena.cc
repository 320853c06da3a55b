// SPDX-License-Identifier: Apache-2.0
#include "backends/cuda/arena.h"

#include <algorithm>

#include "src/base/checked_size.h"

namespace scrooge::backend::cuda {

Arena::~Arena() = default;

// The smallest free range that is large enough; slabs and large blocks do not mix, so that neither splits the other's.
// A large block takes a chunk of about its size only, or the rest of the chunk would be held for nothing.
bool Arena::find(uint64_t bytes, bool slab, Block& block) {
  Chunk* best_chunk = nullptr;
  std::map<CuAddress, Range>::iterator best;
  for (const auto& chunk : chunks_) {
    if (chunk->slab != slab) continue;
    for (auto range = chunk->free.begin(); range != chunk->free.end(); ++range) {
      if (range->second.bytes < bytes || (!slab && range->second.bytes > bytes + bytes / 16)) continue;
      if (best_chunk != nullptr && range->second.bytes >= best->second.bytes) continue;
      best_chunk = chunk.get();
      best = range;
    }
  }
  if (best_chunk == nullptr) return false;
  const auto [address, range] = *best;
  best_chunk->free.erase(best);
  if (range.bytes > bytes) best_chunk->free[address + bytes] = {range.bytes - bytes, range.last_use};
  block = {address, bytes, range.last_use, best_chunk};
  return true;
}

Status Arena::drop_empty_chunks() {
  const auto is_empty = [](const std::unique_ptr<Chunk>& chunk) { return chunk->empty(); };
  if (std::none_of(chunks_.begin(), chunks_.end(), is_empty)) return {};
  SCROOGE_RETURN_IF_ERROR(quiesce_());
  Status first;
  for (const auto& chunk : chunks_) {
    if (!chunk->empty()) continue;
    const Status freed = context_.check(context_.api().memory_free(chunk->address), "cuMemFree");
    if (first.ok()) first = freed;
    held_ -= chunk->bytes;
  }
  std::erase_if(chunks_, is_empty);
  return first;
}

Result<Arena::Chunk*> Arena::add_chunk(uint64_t bytes, bool slab, std::string_view purpose) {
  const auto room = [&] { return budget_.limit() > held_ ? budget_.limit() - held_ : 0; };
  uint64_t wanted = slab ? std::max(bytes, std::min(sizes_.slab, room())) : bytes;
  if (wanted > room()) SCROOGE_RETURN_IF_ERROR(drop_empty_chunks());
  auto chunk = std::make_unique<Chunk>();
  CuResult result = context_.api().memory_alloc(&chunk->address, wanted);
  if (result == kCuOutOfMemory) {
    SCROOGE_RETURN_IF_ERROR(drop_empty_chunks());
    wanted = bytes;
    result = context_.api().memory_alloc(&chunk->address, wanted);
  }
  SCROOGE_RETURN_IF_ERROR(context_.check(result, "cuMemAlloc").with_context(purpose));
  chunk->bytes = wanted;
  chunk->slab = slab;
  chunk->free[chunk->address] = {wanted, 0};
  held_ += wanted;
  chunks_.push_back(std::move(chunk));
  return chunks_.back().get();
}

Result<Arena::Block> Arena::allocate(uint64_t bytes, std::string_view purpose) {
  const CheckedSize padded = CheckedSize(std::max<uint64_t>(1, bytes)).align_up(kAlignment);
  if (!padded.valid()) return error(StatusCode::kOutOfMemory, purpose, ": ", bytes, " bytes is more than any card has");
  const uint64_t size = padded.value();
  const bool slab = size < std::min(sizes_.small, sizes_.slab);
  SCROOGE_RETURN_IF_ERROR(budget_.reserve(size, purpose));
  Block block;
  if (!find(size, slab, block)) {
    const Result<Chunk*> added = add_chunk(size, slab, purpose);
    if (!added.ok() || !find(size, slab, block)) {
      budget_.give_back(size);
      return added.ok() ? error(StatusCode::kInternal, purpose, ": a new chunk has no room") : added.status();
    }
  }
  return block;
}

void Arena::release(const Block& block) {
  budget_.give_back(block.bytes);
  auto& free = block.chunk->free;
  auto at = free.emplace(block.address, Range{block.bytes, block.last_use}).first;
  const auto absorb_next = [&](std::map<CuAddress, Range>::iterator range) {
    const auto next = std::next(range);
    if (next == free.end() || range->first + range->second.bytes != next->first) return;
    range->second.bytes += next->second.bytes;
    range->second.last_use = std::max(range->second.last_use, next->second.last_use);
    free.erase(next);
  };
  absorb_next(at);
  if (at != free.begin()) absorb_next(std::prev(at));
}

void Arena::close() {
  for (const auto& chunk : chunks_) (void)context_.api().memory_free(chunk->address);
  chunks_.clear();
  held_ = 0;
}

}  // namespace scrooge::backend::cuda
