// SPDX-License-Identifier: Apache-2.0
// The hidden-state store: the residual stream (or another activation) of all calibration tokens, handed out chunk by
// chunk. A chunk is a number of whole sequences that depends on the sequence length alone, so that sums taken chunk by
// chunk are the same for every budget and thread count.
#pragma once

#include <algorithm>
#include <memory>
#include <string_view>

#include "src/backend/device.h"

namespace scrooge::calibration {

// How rows of `sequence` tokens are grouped into chunks.
struct Chunking {
  int64_t sequences = 0;  // in all
  int64_t sequence = 0;   // tokens each
  int64_t sequences_per_chunk = 1;

  // About 512 tokens a chunk, at least one sequence.
  static Chunking of(int64_t sequences, int64_t sequence) {
    constexpr int64_t kChunkTokens = 512;
    return {sequences, sequence, std::max<int64_t>(1, kChunkTokens / sequence)};
  }
  int64_t chunks() const { return (sequences + sequences_per_chunk - 1) / sequences_per_chunk; }
  int64_t chunk_tokens() const { return std::min(sequences_per_chunk, sequences) * sequence; }
  int64_t first_token(int64_t chunk) const { return chunk * sequences_per_chunk * sequence; }
  int64_t tokens_in(int64_t chunk) const {
    return std::min(sequences_per_chunk, sequences - chunk * sequences_per_chunk) * sequence;
  }
  int64_t tokens() const { return sequences * sequence; }
};

// One thread at a time. The device must outlive it.
class HiddenStates {
 public:
  static uint64_t device_bytes(const Chunking& chunking, int64_t width) {
    return static_cast<uint64_t>(chunking.tokens() * width) * sizeof(float);
  }
  static Result<HiddenStates> create(backend::Device& device, const Chunking& chunking, int64_t width,
                                     std::string_view purpose) {
    HiddenStates states;
    states.chunking_ = chunking;
    states.width_ = width;
    SCROOGE_ASSIGN_OR_RETURN(states.buffer_, device.allocate(device_bytes(chunking, width), purpose));
    return states;
  }

  const Chunking& chunking() const { return chunking_; }
  int64_t width() const { return width_; }
  // f32 [tokens_in(chunk), width], to read and write in place.
  backend::Matrix chunk(int64_t index) const {
    return {buffer_.get(),
            static_cast<uint64_t>(chunking_.first_token(index) * width_) * sizeof(float),
            chunking_.tokens_in(index),
            width_,
            width_,
            DType::kF32};
  }

 private:
  Chunking chunking_;
  int64_t width_ = 0;
  std::unique_ptr<backend::Buffer> buffer_;
};

}  // namespace scrooge::calibration
