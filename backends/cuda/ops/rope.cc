// SPDX-License-Identifier: Apache-2.0
#include "backends/cuda/kernels/rope.h"

#include <algorithm>

#include "backends/cuda/ops/scratch_parts.h"
#include "backends/cuda/ops/views.h"
#include "backends/cuda/work.h"
#include "src/backend/validate.h"

namespace scrooge::backend::cuda {

uint64_t rope_scratch(int64_t positions, int64_t half) {
  return static_cast<uint64_t>(positions) * static_cast<uint64_t>(2 * half) * sizeof(float);
}

Status CudaDevice::rope(const RopeParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  const int64_t half = p.inv_freq.size;
  if (p.x.rows == 0 || p.x.cols == 0 || half == 0) return {};
  return run("rope", {p.x.buffer, p.inv_freq.buffer}, [&](Work& work) -> Status {
    const int64_t positions = std::min(p.sequence_length, p.x.rows);
    SCROOGE_ASSIGN_OR_RETURN(const CuAddress scratch, work.scratch(rope_scratch(positions, half)));
    const MatrixView<float> table{scratch, positions, 2 * half, 2 * half};
    SCROOGE_RETURN_IF_ERROR(work.launch({"rope", "scrooge_rope_table"}, {128, ceil_div(positions * half, 128)},
                                        RopeTableArguments{view<const float>(p.inv_freq), table, p.magnitude}));
    const RopeArguments arguments{
        view<float>(p.x), {scratch, positions, 2 * half, 2 * half}, p.head_width, p.sequence_length, half};
    constexpr int64_t kMostRows = 32768;
    return work.launch({"rope", "scrooge_rope"},
                       {256, ceil_div(p.x.cols / p.head_width * half, 256), std::min(p.x.rows, kMostRows)}, arguments);
  });
}

}  // namespace scrooge::backend::cuda
