// SPDX-License-Identifier: Apache-2.0
// The canonical bit stream of src/tensor/pack_bits.h. A thread has eight codes, which fill `bits` whole bytes; the tail
// of a row is zero-padded to bytes. Launch: 256 threads, x over 2048-code pieces of a row, y over rows. Bound by
// memory: 1 + bits / 8 bytes a code.
#include "backends/cuda/kernels/kernel.cuh"
#include "backends/cuda/kernels/quantize.h"

namespace scrooge::backend::cuda {

SCROOGE_KERNEL(scrooge_pack, 256, PackArguments) {
  const int64_t eight = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  const int64_t left = args.codes.cols - eight * 8;
  if (left <= 0) return;
  const int count = left < 8 ? static_cast<int>(left) : 8;
  const int bytes = (count * args.bits + 7) / 8;
  const bool whole = args.whole != 0 && count == 8;
  for (int64_t row = blockIdx.y; row < args.codes.rows; row += gridDim.y) {
    const Code* const from = args.codes.row(row) + eight * 8;
    uint8_t* const to = args.packed.row(row) + eight * args.bits;
    uint64_t stream = 0;
    if (whole) {
      const uint64_t codes = *reinterpret_cast<const uint64_t*>(from);
#pragma unroll
      for (int i = 0; i < 8; ++i) stream |= (codes >> (8 * i) & 0xff) << (i * args.bits);
    } else {
      for (int i = 0; i < count; ++i) stream |= static_cast<uint64_t>(from[i]) << (i * args.bits);
    }
    if (whole && args.bits == 4) {
      *reinterpret_cast<uint32_t*>(to) = static_cast<uint32_t>(stream);
    } else if (whole && args.bits == 2) {
      *reinterpret_cast<uint16_t*>(to) = static_cast<uint16_t>(stream);
    } else if (whole && args.bits == 8) {
      *reinterpret_cast<uint64_t*>(to) = stream;
    } else {
      for (int i = 0; i < bytes; ++i) to[i] = static_cast<uint8_t>(stream >> (8 * i));
    }
  }
}

}  // namespace scrooge::backend::cuda
