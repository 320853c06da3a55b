// SPDX-License-Identifier: Apache-2.0
#include "backends/cpu/scratch.h"

namespace scrooge::backend::cpu {

Status Scratch::grow(MemoryBudget& budget, HostBlock& block, uint64_t bytes) {
  if (block.size() >= bytes) return {};
  block.reset();  // before the new one is taken, so that the two never count together
  SCROOGE_ASSIGN_OR_RETURN(block, budget.allocate(bytes, "scratch of the processor's ops"));
  return {};
}

Status Scratch::prepare(uint64_t shared_bytes, uint64_t worker_bytes) {
  if (shared_bytes != 0) SCROOGE_RETURN_IF_ERROR(grow(budget_, shared_, shared_bytes));
  if (worker_bytes == 0) return {};
  for (HostBlock& block : workers_) SCROOGE_RETURN_IF_ERROR(grow(budget_, block, worker_bytes));
  return {};
}

}  // namespace scrooge::backend::cpu
