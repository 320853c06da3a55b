// SPDX-License-Identifier: Apache-2.0
// Scales and zeros of W[N,K] under one candidate range. A warp per group; blocks of 8 warps, x over all groups of all
// rows. Bound by memory: 4 bytes a weight.
#include "backends/cuda/kernels/group_range.cuh"

namespace scrooge::backend::cuda {

SCROOGE_KERNEL(scrooge_group_params, 256, GroupParamsArguments) {
  const Scheme& scheme = args.scheme;
  const int64_t cell = static_cast<int64_t>(blockIdx.x) * (blockDim.x / kWarp) + warp();
  if (cell >= args.w.rows * scheme.groups) return;  // whole warps
  const int64_t row = cell / scheme.groups;
  const int group = static_cast<int>(cell - row * scheme.groups);
  const int begin = group * scheme.group;
  const int length = scheme.k - begin < scheme.group ? scheme.k - begin : scheme.group;
  const Range range = group_range(args.w.row(row) + begin, length);
  const GroupScale found = params_from_range(clipped(range, args.clip), scheme);
  if (lane() != 0) return;
  args.scales.row(row)[group] = found.scale;
  args.zeros.row(row)[group] = found.zero;
}

}  // namespace scrooge::backend::cuda
