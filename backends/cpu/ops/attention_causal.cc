// SPDX-License-Identifier: Apache-2.0
// A tile of queries at a time: its scores against the keys it can see are one product, the softmax runs over each row's
// causal part in f32, and the weighted values are a second product, divided by the row's sum. Tasks are (sequence,
// head, tile), or with kFast (sequence, head), so that keys and values are rounded to bf16 once.
#include "backends/cpu/cpu_device.h"
#include "backends/cpu/ops/scratch_parts.h"
#include "backends/cpu/ops/tile_sizes.h"
#include "backends/cpu/simd/convert_row.h"
#include "backends/cpu/simd/math_row.h"
#include "src/backend/validate.h"

namespace scrooge::backend::cpu {
namespace {

struct Workspace {
  Workspace(Carver& carver, int64_t rows, int64_t length, int64_t width, bool fast) {
    scores = carver.take<float>(rows * length);
    sums = carver.take<float>(rows);
    if (!fast) return;
    queries = carver.take<uint16_t>(rows * width);
    keys = carver.take<uint16_t>(length * width);
    values = carver.take<uint16_t>(length * width);
    weights = carver.take<uint16_t>(rows * length);
  }
  float* scores;
  float* sums;
  uint16_t* queries = nullptr;
  uint16_t* keys = nullptr;
  uint16_t* values = nullptr;
  uint16_t* weights = nullptr;
};

// One tile: queries [first, first + rows) of the sequence that starts at row `start`, reading `seen` keys.
struct Tile {
  int64_t start, first, rows, seen, query, key;
};

// The first column of the key-value head that `head` reads.
int64_t key_column(const AttentionCausalParams& p, int64_t head) {
  return head / (p.heads / p.kv_heads) * p.head_width;
}

void softmax(const AttentionCausalParams& p, const Tile& tile, const Workspace& space) {
  for (int64_t r = 0; r < tile.rows; ++r) {
    float* row = space.scores + r * tile.seen;
    const int64_t visible = tile.first + r + 1;
    space.sums[r] = exp_row(row, p.scale, visible);
    std::fill(row + visible, row + tile.seen, 0.0f);
  }
}

Status exact_tile(const Execution& execution, const AttentionCausalParams& p, const Tile& tile,
                  const Workspace& space) {
  Product scores;
  scores.transpose_b = true;
  scores.m = tile.rows;
  scores.n = tile.seen;
  scores.k = p.head_width;
  scores.a = row_of<float>(p.q, tile.start + tile.first) + tile.query;
  scores.lda = p.q.stride;
  scores.b = row_of<float>(p.k, tile.start) + tile.key;
  scores.ldb = p.k.stride;
  scores.c = space.scores;
  scores.ldc = tile.seen;
  SCROOGE_RETURN_IF_ERROR(execution.product.multiply(scores));
  softmax(p, tile, space);
  Product values;
  values.m = tile.rows;
  values.n = p.head_width;
  values.k = tile.seen;
  values.a = space.scores;
  values.lda = tile.seen;
  values.b = row_of<float>(p.v, tile.start) + tile.key;
  values.ldb = p.v.stride;
  values.c = row_of<float>(p.out, tile.start + tile.first) + tile.query;
  values.ldc = p.out.stride;
  return execution.product.multiply(values);
}

void copy_bf16(const Matrix& from, int64_t row, int64_t rows, int64_t col, int64_t cols, uint16_t* to) {
  for (int64_t r = 0; r < rows; ++r) float_to_bf16_row(row_of<float>(from, row + r) + col, to + r * cols, cols);
}

Status fast_tile(const Execution& execution, int worker, const AttentionCausalParams& p, const Tile& tile,
                 const Workspace& space) {
  const int64_t width = p.head_width;
  copy_bf16(p.q, tile.start + tile.first, tile.rows, tile.query, width, space.queries);
  Bf16Product scores;
  scores.transpose_b = true;
  scores.m = tile.rows;
  scores.n = tile.seen;
  scores.k = width;
  scores.a = space.queries;
  scores.lda = width;
  scores.b = space.keys;
  scores.ldb = width;
  scores.c = space.scores;
  scores.ldc = tile.seen;
  SCROOGE_RETURN_IF_ERROR(execution.product.multiply_bf16(scores, worker));
  softmax(p, tile, space);
  float_to_bf16_row(space.scores, space.weights, tile.rows * tile.seen);
  Bf16Product values;
  values.m = tile.rows;
  values.n = width;
  values.k = tile.seen;
  values.a = space.weights;
  values.lda = tile.seen;
  values.b = space.values;
  values.ldb = width;
  values.c = row_of<float>(p.out, tile.start + tile.first) + tile.query;
  values.ldc = p.out.stride;
  return execution.product.multiply_bf16(values, worker);
}

}  // namespace

uint64_t attention_scratch(int64_t length, int64_t width) {
  Carver carver;
  const Workspace space(carver, kAttentionRows, length, width, true);
  return carver.used();
}

Status CpuDevice::attention_causal(const AttentionCausalParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  if (p.q.rows == 0) return {};
  const Execution context = execution();
  const int64_t length = p.sequence_length;
  // Long sequences have a shape per tile; preparing so many bf16 products would cost more than they save.
  const bool fast = context.fast(p.precision) && length <= 2048;
  const Tiling tiles(length, kAttentionRows, 1);
  Carver sizes;
  const Workspace sized(sizes, tiles.size, length, p.head_width, fast);
  SCROOGE_RETURN_IF_ERROR(scratch_.prepare(0, sizes.used()));
  const auto run_tile = [&](int64_t sequence, int64_t head, int64_t part, const Workspace& space, int worker) {
    const int64_t first = tiles.begin(part);
    const int64_t rows = tiles.length(part);
    const Tile tile{sequence * length, first, rows, first + rows, head * p.head_width, key_column(p, head)};
    SCROOGE_RETURN_IF_ERROR(fast ? fast_tile(context, worker, p, tile, space) : exact_tile(context, p, tile, space));
    for (int64_t r = 0; r < rows; ++r) {
      float* out = row_of<float>(p.out, tile.start + first + r) + tile.query;
      scale_row(out, 1.0f / space.sums[r], out, p.head_width);
    }
    return Status();
  };
  const int64_t sequences = p.q.rows / length;
  const int64_t parts = fast ? 1 : tiles.count;
  return context.for_each(sequences * p.heads * parts, [&](int64_t index, int worker) {
    Carver carver(scratch_.worker(worker));
    const Workspace space(carver, tiles.size, length, p.head_width, fast);
    const int64_t sequence = index / (p.heads * parts);
    const int64_t head = index / parts % p.heads;
    if (!fast) return run_tile(sequence, head, index % parts, space, worker);
    copy_bf16(p.k, sequence * length, length, key_column(p, head), p.head_width, space.keys);
    copy_bf16(p.v, sequence * length, length, key_column(p, head), p.head_width, space.values);
    for (int64_t part = 0; part < tiles.count; ++part) {
      SCROOGE_RETURN_IF_ERROR(context.check_cancelled(worker));
      SCROOGE_RETURN_IF_ERROR(run_tile(sequence, head, part, space, worker));
    }
    return Status();
  });
}

}  // namespace scrooge::backend::cpu
