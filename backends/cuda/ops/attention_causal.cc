// SPDX-License-Identifier: Apache-2.0
#include "backends/cuda/kernels/attention_causal.h"

#include "backends/cuda/ops/views.h"
#include "backends/cuda/work.h"
#include "src/backend/validate.h"

namespace scrooge::backend::cuda {
namespace {

struct Choice {
  const char* kernel;
  AttentionTiles tiles;
};

Result<Choice> choose(int64_t head_width) {
  constexpr Choice kChoices[] = {{"scrooge_attention_64", kAttention64},
                                 {"scrooge_attention_128", kAttention128},
                                 {"scrooge_attention_256", kAttention256}};
  for (const Choice& choice : kChoices) {
    if (head_width <= choice.tiles.width) return choice;
  }
  return error(StatusCode::kUnsupported, "heads of ", head_width, " columns; the kernels take up to ",
               kAttention256.width, "; use --device cpu");
}

}  // namespace

Status CudaDevice::attention_causal(const AttentionCausalParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  if (p.q.rows == 0) return {};
  return run("attention_causal", {p.q.buffer, p.k.buffer, p.v.buffer, p.out.buffer}, [&](Work& work) -> Status {
    SCROOGE_ASSIGN_OR_RETURN(const Choice choice, choose(p.head_width));
    const AttentionArguments arguments{view<const float>(p.q),
                                       view<const float>(p.k),
                                       view<const float>(p.v),
                                       view<float>(p.out),
                                       p.sequence_length,
                                       static_cast<int32_t>(p.heads),
                                       static_cast<int32_t>(p.kv_heads),
                                       static_cast<int32_t>(p.head_width),
                                       p.scale};
    const int64_t tiles = ceil_div(p.sequence_length, choice.tiles.queries);
    return work.launch({"attention_causal", choice.kernel},
                       {128, tiles * (p.q.rows / p.sequence_length) * p.heads, 1, 1, choice.tiles.shared_bytes()},
                       arguments);
  });
}

}  // namespace scrooge::backend::cuda
