// SPDX-License-Identifier: Apache-2.0
// What the processor at hand is and can do, asked once.
#pragma once

#include <cstdint>
#include <string>

namespace scrooge::backend::cpu {

struct Processor {
  std::string name;
  bool avx2 = false;    // with FMA
  bool avx512 = false;  // F, BW, DQ, VL
  bool bf16 = false;    // multiplies bf16 at twice the rate of f32 or better (AVX512-BF16 or AMX-BF16)
  bool amx = false;
  uint64_t total_bytes = 0;
  uint64_t free_bytes = 0;
};

Processor detect_processor();

}  // namespace scrooge::backend::cpu
