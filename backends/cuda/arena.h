// SPDX-License-Identifier: Apache-2.0
// Device memory: taken from the driver in chunks, cut into blocks of whole 256 bytes. Chunks that became empty are kept
// for the next block of the model, which asks for the same sizes again, and go back before the limit would be passed or
// when the driver has no more. So kernels never wait for an allocation in the steady state.
//
// Counted against the budget: blocks. What the chunks hold beyond that is bounded: empty chunks stay below the limit
// together with the blocks; a large block may lie in a chunk a sixteenth larger; a slab for small blocks, partly used,
// adds its free part.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string_view>
#include <vector>

#include "backends/cuda/driver_context.h"
#include "src/base/memory_budget.h"

namespace scrooge::backend::cuda {

struct ArenaSizes {
  uint64_t slab = uint64_t{16} << 20;  // a chunk for small blocks; 0: every block is a chunk of its own
  uint64_t small = uint64_t{1} << 20;  // blocks below this come from slabs
};

class Arena {
  struct Chunk;

 public:
  struct Block {
    CuAddress address = 0;
    uint64_t bytes = 0;
    uint64_t last_use = 0;  // the ticket of the last work that touched this memory
    Chunk* chunk = nullptr;
  };

  // `quiesce` waits for all work: the driver may not take back memory in use. `context` and `budget` outlive the arena;
  // the context is current in every call, close() included.
  Arena(DriverContext& context, MemoryBudget& budget, const ArenaSizes& sizes, std::function<Status()> quiesce)
      : context_(context), budget_(budget), sizes_(sizes), quiesce_(std::move(quiesce)) {}
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  static constexpr uint64_t kAlignment = 256;

  // kBudgetExceeded, or kOutOfMemory from the driver; both name `purpose`. The contents are unspecified.
  Result<Block> allocate(uint64_t bytes, std::string_view purpose);
  void release(const Block& block);
  // Gives everything back to the driver. REQUIRES: all blocks are released, no work is under way.
  void close();

  // Bytes that the driver has given.
  uint64_t held() const { return held_; }

 private:
  struct Range {
    uint64_t bytes = 0;
    uint64_t last_use = 0;
  };
  struct Chunk {
    CuAddress address = 0;
    uint64_t bytes = 0;
    bool slab = false;
    std::map<CuAddress, Range> free;
    bool empty() const { return free.size() == 1 && free.begin()->second.bytes == bytes; }
  };

  bool find(uint64_t bytes, bool slab, Block& block);
  Result<Chunk*> add_chunk(uint64_t bytes, bool slab, std::string_view purpose);
  Status drop_empty_chunks();

  DriverContext& context_;
  MemoryBudget& budget_;
  const ArenaSizes sizes_;
  const std::function<Status()> quiesce_;
  std::vector<std::unique_ptr<Chunk>> chunks_;
  uint64_t held_ = 0;
};

}  // namespace scrooge::backend::cuda
