// SPDX-License-Identifier: Apache-2.0
// The largest parts of the ops that carve theirs, for scratch_bytes(): a worker's unless the name says shared. Each is
// defined beside its op.
#pragma once

#include <cstdint>

namespace scrooge::backend::cpu {

uint64_t scale_search_scratch(int64_t k);
// REQUIRES: group, candidates >= 1.
uint64_t clip_search_scratch(int64_t group, int64_t candidates);
uint64_t gram_factor_shared_scratch(int64_t k);
uint64_t gram_factor_scratch(int64_t k);
uint64_t gram_solve_shared_scratch(int64_t k);
uint64_t gram_solve_scratch(int64_t k);
uint64_t gptq_scratch(int64_t k);
uint64_t refit_scales_scratch(int64_t k);
uint64_t refine_codes_scratch(int64_t k);
uint64_t attention_scratch(int64_t length, int64_t width);

}  // namespace scrooge::backend::cpu
