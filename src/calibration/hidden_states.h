// SPDX-License-Identifier: Apache-2.0
// The hidden-state store: the residual stream (or another activation) of all calibration tokens, handed out chunk by
// chunk, in device memory or spilled to a file or to the host's memory. A chunk is a number of whole sequences that
// depends on the text and on what is held out of it alone, so that sums taken chunk by chunk are the same for every
// budget and thread count.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "src/backend/device.h"
#include "src/calibration/spilled_matrix.h"

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
  // With `spilled`: of one chunk, the others being elsewhere.
  static uint64_t device_bytes(const Chunking& chunking, int64_t width, bool spilled = false) {
    return float_bytes((spilled ? chunking.chunk_tokens() : chunking.tokens()) * width);
  }
  static uint64_t spilled_bytes(const Chunking& chunking, int64_t width) { return device_bytes(chunking, width); }
  // `place`: where the chunks are kept, if not in device memory. kNoSpace names what the disk lacks.
  static Result<HiddenStates> create(backend::Device& device, const Chunking& chunking, int64_t width,
                                     std::string_view purpose, const SpillPlace& place = {});

  const Chunking& chunking() const { return chunking_; }
  int64_t width() const { return width_; }

  // f32 [tokens_in(chunk), width]. REQUIRES: not spilled.
  backend::Matrix chunk(int64_t index) const {
    return {buffer_.get(), file_offset(index), chunking_.tokens_in(index), width_, width_, DType::kF32};
  }
  // f32 [tokens_in(chunk), width], to read and change in place until the next load() or place(). What was changed in
  // memory stays; where chunks are spilled it is lost unless store() follows.
  Result<backend::Matrix> load(int64_t chunk);
  // The same without its content, which the caller writes.
  backend::Matrix place(int64_t chunk);
  // REQUIRES: `chunk` was loaded or placed last.
  Status store(int64_t chunk);

 private:
  bool spilled() const { return file_.is_open(); }
  uint64_t file_offset(int64_t chunk) const { return float_bytes(chunking_.first_token(chunk) * width_); }

  backend::Device* device_ = nullptr;
  Chunking chunking_;
  int64_t width_ = 0;
  std::unique_ptr<backend::Buffer> buffer_;  // everything, or the loaded chunk
  SpilledMatrix file_;                       // only where spilled
  int64_t loaded_ = -1;
};

}  // namespace scrooge::calibration
