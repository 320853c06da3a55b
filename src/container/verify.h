// SPDX-License-Identifier: Apache-2.0
// The full check of a file, for `scrooge verify`.
#pragma once

#include <cstdint>
#include <string>

#include "src/base/result.h"
#include "src/container/payload_check.h"

namespace scrooge::container {

struct VerifySummary {
  uint64_t tensors = 0;
  uint64_t quantized_tensors = 0;
  uint64_t planes = 0;
  uint64_t raw_segments = 0;
  uint64_t bytes_checked = 0;  // the whole file: payload by checksum, padding as zeros
  double bits_per_weight = 0;  // of the quantized tensors, as stored; 0 without any
};

// Everything ModelReader::open checks at kChecksums; `progress` may cancel (kCancelled).
Result<VerifySummary> verify(const std::string& path, const CheckProgress& progress = {});

}  // namespace scrooge::container
