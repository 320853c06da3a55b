// SPDX-License-Identifier: Apache-2.0
// Push constants of the three shaders of attention_causal: some query rows of one sequence, some heads, some keys.
#ifndef SCROOGE_VULKAN_ATTENTION_PUSH_H
#define SCROOGE_VULKAN_ATTENTION_PUSH_H
#include "backends/vulkan/shaders/view.h"

#ifdef __cplusplus
namespace scrooge::backend::vulkan {
#endif

// Row m of `rows` is query first_query + m; of a head z of `heads` its scores are plane z of `stride` * `rows`
// elements, its sum element z * rows + m of the sums.
struct AttentionPush {
  View q, kv, y;
  uint rows, keys, width;       // keys in the window
  uint first_query, first_key;  // in the sequence
  uint first_head, shared_by;   // heads of one key-value head
  uint stride;                  // of the scores
  float scale;
};

#ifdef __cplusplus
static_assert(sizeof(AttentionPush) == 60);
}  // namespace scrooge::backend::vulkan
#endif
#endif
