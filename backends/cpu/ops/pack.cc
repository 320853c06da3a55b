// SPDX-License-Identifier: Apache-2.0
// At 4 bits, what nearly every model has, two codes make a byte and the loop vectorizes; other widths take the general
// bit stream.
#include "backends/cpu/cpu_device.h"
#include "src/backend/validate.h"
#include "src/tensor/pack_bits.h"

namespace scrooge::backend::cpu {
namespace {

void pack_nibbles(const uint8_t* codes, int64_t k, uint8_t* packed) {
  for (int64_t i = 0; i < k / 2; ++i) packed[i] = static_cast<uint8_t>(codes[2 * i] | (codes[2 * i + 1] << 4));
  if (k % 2 != 0) packed[k / 2] = codes[k - 1];
}

}  // namespace

Status CpuDevice::pack(const PackParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  const auto bytes = static_cast<size_t>(p.packed.cols);
  return execution().for_each_row(p.codes.rows, p.codes.cols, [&](int64_t n) {
    const uint8_t* codes = row_of<uint8_t>(p.codes, n);
    uint8_t* packed = row_of<uint8_t>(p.packed, n);
    if (p.bits == 4) {
      pack_nibbles(codes, p.codes.cols, packed);
    } else {
      pack_bits({codes, static_cast<size_t>(p.codes.cols)}, p.bits, {packed, bytes});
    }
  });
}

}  // namespace scrooge::backend::cpu
