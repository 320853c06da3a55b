// SPDX-License-Identifier: Apache-2.0
#include "src/model/block_forward.h"

#include <algorithm>
#include <cmath>

namespace scrooge::model {

using backend::Matrix;
using backend::Precision;
using backend::Vector;

namespace {

// Floats of scratch beside the stage input: the normalized residual and, at a time, either q, k, v or the gate.
int64_t scratch_floats(const ModelConfig& config, const BlockForward::ChunkShape& chunk) {
  return std::max(chunk.attention_tokens() * (config.width + config.q_width() + 2 * config.kv_width()),
                  chunk.gated_tokens() * (config.width + config.feed_forward));
}

// Parts of up to `size` rows: visit(first, count), until one fails.
template <typename Visit>
Status for_each_part(int64_t rows, int64_t size, const Visit& visit) {
  for (int64_t first = 0; first < rows; first += size) {
    SCROOGE_RETURN_IF_ERROR(visit(first, std::min(size, rows - first)));
  }
  return {};
}

int64_t widest_input(const ModelConfig& config) {
  return std::max({config.width, config.q_width(), config.feed_forward});
}

// On a boundary that suits any vector unit.
uint64_t stage_input_bytes(const ModelConfig& config, int64_t chunk_tokens) {
  return (float_bytes(chunk_tokens * widest_input(config)) + 255) / 256 * 256;
}

}  // namespace

uint64_t BlockForward::scratch_bytes(const ModelConfig& config, const ChunkShape& chunk) {
  return stage_input_bytes(config, chunk.tokens) + float_bytes(scratch_floats(config, chunk));
}

Result<std::unique_ptr<BlockForward>> BlockForward::create(backend::Device& device, const ModelConfig& config,
                                                           std::span<const float> inv_freq, const ChunkShape& chunk,
                                                           backend::Buffer* workspace) {
  std::unique_ptr<BlockForward> forward(new BlockForward(device, config, chunk));
  SCROOGE_ASSIGN_OR_RETURN(forward->inv_freq_, device.allocate(inv_freq.size_bytes(), "rotary frequencies"));
  SCROOGE_RETURN_IF_ERROR(device.upload(*forward->inv_freq_, 0, std::as_bytes(inv_freq)));
  if (workspace == nullptr) {
    SCROOGE_ASSIGN_OR_RETURN(forward->own_workspace_,
                             device.allocate(scratch_bytes(config, chunk), "activations of a token chunk"));
    workspace = forward->own_workspace_.get();
  }
  forward->workspace_ = workspace;
  return forward;
}

Matrix BlockForward::scratch(int64_t first_float, int64_t rows, int64_t cols) const {
  const uint64_t offset = workspace_begin_ + stage_input_bytes(config_, chunk_.tokens) + float_bytes(first_float);
  return {workspace_, offset, rows, cols, cols, DType::kF32};
}

Matrix BlockForward::stage_input(int64_t rows, int64_t cols) const {
  return {workspace_, workspace_begin_, rows, cols, cols, DType::kF32};
}

Status BlockForward::normalize(const Matrix& x, const Vector& gamma, const Matrix& y) {
  return device_.normalize({x, y, gamma, static_cast<float>(config_.norm_epsilon)});
}

Status BlockForward::linear(const BlockWeights& weights, LinearRole role, const Matrix& x, Precision precision,
                            float beta, const Matrix& y) {
  return multiply(weights.linear(role), weights.bias(role), x, precision, beta, y);
}

Status BlockForward::multiply(WeightRows& weight, const Vector& bias, const Matrix& x, Precision precision, float beta,
                              const Matrix& y) {
  return for_each_tile(weight, [&](int64_t first, const Matrix& tile) {
    Vector part = bias;
    if (bias) {
      part.offset += float_bytes(first);
      part.size = tile.rows;
    }
    return device_.gemm({x, tile, y.col_range(first, tile.rows), part, beta, precision});
  });
}

Status BlockForward::attention(const BlockWeights& weights, const Matrix& h, int64_t sequence, Precision precision,
                               const Matrix& out) {
  const int64_t rows = h.rows;
  const Matrix x = scratch(0, rows, config_.width);
  const int64_t q_begin = rows * config_.width;
  const int64_t k_begin = q_begin + rows * config_.q_width();
  const Matrix q = scratch(q_begin, rows, config_.q_width());
  const Matrix k = scratch(k_begin, rows, config_.kv_width());
  const Matrix v = scratch(k_begin + rows * config_.kv_width(), rows, config_.kv_width());
  SCROOGE_RETURN_IF_ERROR(normalize(h, weights.norms[static_cast<size_t>(NormRole::kInput)], x));
  SCROOGE_RETURN_IF_ERROR(linear(weights, LinearRole::kQ, x, precision, 0, q));
  SCROOGE_RETURN_IF_ERROR(linear(weights, LinearRole::kK, x, precision, 0, k));
  SCROOGE_RETURN_IF_ERROR(linear(weights, LinearRole::kV, x, precision, 0, v));
  const Vector inv_freq{inv_freq_.get(), 0, config_.head_width / 2, DType::kF32};
  SCROOGE_RETURN_IF_ERROR(device_.rope({q, config_.head_width, sequence, inv_freq, 1.0f}));
  SCROOGE_RETURN_IF_ERROR(device_.rope({k, config_.head_width, sequence, inv_freq, 1.0f}));
  const auto scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(config_.head_width)));
  return device_.attention_causal(
      {q, k, v, out, sequence, config_.heads, config_.kv_heads, config_.head_width, scale, precision});
}

Status BlockForward::gated(const BlockWeights& weights, const Matrix& h, Precision precision, const Matrix& out) {
  const Matrix x = scratch(0, h.rows, config_.width);
  const Matrix gate = scratch(h.rows * config_.width, h.rows, config_.feed_forward);
  SCROOGE_RETURN_IF_ERROR(normalize(h, weights.norms[static_cast<size_t>(NormRole::kPostAttention)], x));
  SCROOGE_RETURN_IF_ERROR(linear(weights, LinearRole::kGate, x, precision, 0, gate));
  SCROOGE_RETURN_IF_ERROR(linear(weights, LinearRole::kUp, x, precision, 0, out));
  return device_.gate({gate, out, out, config_.activation});
}

Status BlockForward::produce(const StagePlan& stage, const BlockWeights& weights, const Matrix& h, int64_t sequence,
                             Precision precision, const Matrix& x) {
  switch (stage.producer) {
    case Producer::kInputNorm: return normalize(h, weights.norms[static_cast<size_t>(NormRole::kInput)], x);
    case Producer::kAttention:
      return for_each_part(h.rows, std::max(sequence, chunk_.attention_tokens() / sequence * sequence),
                           [&](int64_t first, int64_t count) {
                             return attention(weights, h.row_range(first, count), sequence, precision,
                                              x.row_range(first, count));
                           });
    case Producer::kPostNorm: return normalize(h, weights.norms[static_cast<size_t>(NormRole::kPostAttention)], x);
    case Producer::kGate:
      return for_each_part(h.rows, chunk_.gated_tokens(), [&](int64_t first, int64_t count) {
        return gated(weights, h.row_range(first, count), precision, x.row_range(first, count));
      });
  }
  return error(StatusCode::kInternal, "stage ", stage.name, " has no producer");
}

Status BlockForward::consume(const StagePlan& stage, const BlockWeights& weights, const Matrix& x, Precision precision,
                             const Matrix& h) {
  if (stage.producer == Producer::kAttention) return linear(weights, LinearRole::kO, x, precision, 1, h);
  if (stage.producer == Producer::kGate) return linear(weights, LinearRole::kDown, x, precision, 1, h);
  return {};
}

Status BlockForward::run(const BlockPlan& plan, const BlockWeights& weights, const Matrix& h, int64_t sequence,
                         Precision precision) {
  for (const StagePlan& stage : plan.stages) {
    if (stage.producer != Producer::kAttention && stage.producer != Producer::kGate) continue;
    const Matrix x = stage_input(h.rows, stage.input);
    SCROOGE_RETURN_IF_ERROR(produce(stage, weights, h, sequence, precision, x));
    SCROOGE_RETURN_IF_ERROR(consume(stage, weights, x, precision, h));
  }
  return {};
}

}  // namespace scrooge::model
