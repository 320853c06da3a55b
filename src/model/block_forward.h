// SPDX-License-Identifier: Apache-2.0
// Runs a decoder block, stage by stage, on a chunk of whole sequences. The residual stream is h[T,d]; a stage's input
// is X[T,K]. All work is asked of the device's ops; nothing here touches numbers.
#pragma once

#include <array>
#include <memory>
#include <span>

#include "src/backend/device.h"
#include "src/model/block_plan.h"
#include "src/model/weight_rows.h"

namespace scrooge::model {

// Weights of one block as the forward runs them, owned by someone else.
struct BlockWeights {
  std::array<WeightRows*, kLinearCount> linears{};
  std::array<backend::Vector, kLinearCount> biases;  // null buffer: no bias
  std::array<backend::Vector, kNormCount> norms;

  WeightRows& linear(LinearRole role) const { return *linears[static_cast<size_t>(role)]; }
  const backend::Vector& bias(LinearRole role) const { return biases[static_cast<size_t>(role)]; }
};

// One thread at a time. The device must outlive it.
class BlockForward {
 public:
  // How a chunk is worked on. Halved: attention on half its sequences at a time, where it has several, and the rest on
  // half its rows. That takes less scratch; rows are the same where the device's are independent (DeviceInfo).
  struct ChunkShape {
    int64_t tokens = 0;
    int64_t sequence = 0;  // tokens of one; only asked for where halved
    bool halved = false;

    ChunkShape(int64_t chunk_tokens) : tokens(chunk_tokens) {}  // NOLINT(google-explicit-constructor)
    ChunkShape(int64_t chunk_tokens, int64_t sequence_tokens, bool in_halves)
        : tokens(chunk_tokens), sequence(sequence_tokens), halved(in_halves) {}
    int64_t attention_tokens() const { return halved ? (tokens / sequence + 1) / 2 * sequence : tokens; }
    int64_t gated_tokens() const { return halved ? (tokens + 1) / 2 : tokens; }
  };
  // Device bytes of scratch for chunks of up to `chunk.tokens`.
  static uint64_t scratch_bytes(const ModelConfig& config, const ChunkShape& chunk);
  // `workspace`: scratch_bytes() of it, from begin_workspace_at() on, are used during calls and free between them, but
  // for stage_input(); without one they are allocated.
  static Result<std::unique_ptr<BlockForward>> create(backend::Device& device, const ModelConfig& config,
                                                      std::span<const float> inv_freq, const ChunkShape& chunk,
                                                      backend::Buffer* workspace = nullptr);

  // x = the stage's input computed from h, with h as it is when the stage begins (for the stages after o: with o's
  // output added). Rows are whole sequences of `sequence` tokens. REQUIRES: h.rows <= chunk_tokens, x is [h.rows, K].
  Status produce(const StagePlan& stage, const BlockWeights& weights, const backend::Matrix& h, int64_t sequence,
                 backend::Precision precision, const backend::Matrix& x);
  // h += linear(x) for the stages that write the residual stream (o, down); does nothing for the others.
  Status consume(const StagePlan& stage, const BlockWeights& weights, const backend::Matrix& x,
                 backend::Precision precision, const backend::Matrix& h);
  // y = x W^T + bias + beta y, tile by tile of W; a bias without a buffer is none.
  Status multiply(WeightRows& weight, const backend::Vector& bias, const backend::Matrix& x,
                  backend::Precision precision, float beta, const backend::Matrix& y);
  // The whole block on one chunk, in place.
  Status run(const BlockPlan& plan, const BlockWeights& weights, const backend::Matrix& h, int64_t sequence,
             backend::Precision precision);
  // The workspace begins at this byte from now on.
  void begin_workspace_at(uint64_t offset) { workspace_begin_ = offset; }
  uint64_t workspace_begin() const { return workspace_begin_; }
  // Room for the input of a stage of up to chunk_tokens rows, shared by all; overwritten by run().
  backend::Matrix stage_input(int64_t rows, int64_t cols) const;
  // y = norm(x) with the model's epsilon.
  Status normalize(const backend::Matrix& x, const backend::Vector& gamma, const backend::Matrix& y);

  const ModelConfig& config() const { return config_; }
  int64_t chunk_tokens() const { return chunk_.tokens; }

 private:
  BlockForward(backend::Device& device, const ModelConfig& config, const ChunkShape& chunk)
      : device_(device), config_(config), chunk_(chunk) {}
  Status linear(const BlockWeights& weights, LinearRole role, const backend::Matrix& x, backend::Precision precision,
                float beta, const backend::Matrix& y);
  Status attention(const BlockWeights& weights, const backend::Matrix& h, int64_t sequence,
                   backend::Precision precision, const backend::Matrix& out);
  Status gated(const BlockWeights& weights, const backend::Matrix& h, backend::Precision precision,
               const backend::Matrix& out);
  backend::Matrix scratch(int64_t first_float, int64_t rows, int64_t cols) const;

  backend::Device& device_;
  const ModelConfig config_;
  const ChunkShape chunk_;
  std::unique_ptr<backend::Buffer> inv_freq_;
  std::unique_ptr<backend::Buffer> own_workspace_;
  backend::Buffer* workspace_ = nullptr;  // the stage input, then the rest
  uint64_t workspace_begin_ = 0;
};

}  // namespace scrooge::model
