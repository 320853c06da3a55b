// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "backends/cuda/kernels/quantize.h"
#include "backends/cuda/ops/views.h"
#include "backends/cuda/work.h"
#include "src/backend/validate.h"

namespace scrooge::backend::cuda {
namespace {

bool aligned(const Matrix& m, int64_t bytes) {
  return address_of(m.buffer, m.offset) % static_cast<uint64_t>(bytes) == 0 && (m.rows <= 1 || m.stride % bytes == 0);
}

}  // namespace

Status CudaDevice::pack(const PackParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  if (p.codes.rows == 0 || p.codes.cols == 0) return {};
  return run("pack", {p.codes.buffer, p.packed.buffer}, [&](Work& work) {
    const bool word = p.bits == 2 || p.bits == 4 || p.bits == 8;
    const bool whole = aligned(p.codes, 8) && (!word || aligned(p.packed, p.bits));
    const PackArguments arguments{view<const Code>(p.codes), view<uint8_t>(p.packed), p.bits, whole ? 1 : 0};
    return work.launch({"pack", "scrooge_pack"},
                       {256, ceil_div(p.codes.cols, 2048), std::min<int64_t>(p.codes.rows, 32768)}, arguments);
  });
}

}  // namespace scrooge::backend::cuda
