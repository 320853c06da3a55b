// SPDX-License-Identifier: Apache-2.0
#include "backends/cuda/kernels/reduce.h"

#include "backends/cuda/ops/elementwise.h"
#include "backends/cuda/ops/reduce_blocks.h"
#include "backends/cuda/ops/scratch_parts.h"
#include "src/backend/validate.h"

namespace scrooge::backend::cuda {

namespace {

struct Scratch {
  explicit Scratch(ScratchCarver& carver) {
    partial = carver.take<double>(kReduceBlocks);
    sum = carver.take<double>(1);
  }
  CuAddress partial, sum;
};

}  // namespace

uint64_t reduce_scratch() {
  ScratchCarver carver;
  const Scratch scratch(carver);
  return carver.used();
}

Status CudaDevice::reduce(const ReduceParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  *p.result = 0;
  if (p.a.rows == 0 || p.a.cols == 0) return {};
  static_assert(static_cast<int>(ReduceParams::Kind::kCountNonFinite) == 0 &&
                static_cast<int>(ReduceParams::Kind::kSumSquares) == 1 &&
                static_cast<int>(ReduceParams::Kind::kSumSquaredDiff) == 2 &&
                static_cast<int>(ReduceParams::Kind::kDot) == 3);
  const bool two = p.kind == ReduceParams::Kind::kSumSquaredDiff || p.kind == ReduceParams::Kind::kDot;
  const Matrix& b = two ? p.b : p.a;
  return run("reduce", {p.a.buffer, b.buffer}, [&](Work& work) -> Status {
    const Span span = span_of({&p.a, &b}, true);
    const int64_t blocks = std::min(span.rows * ceil_div(span.cols, 1024), kReduceBlocks);
    SCROOGE_ASSIGN_OR_RETURN(const CuAddress base, work.scratch(reduce_scratch()));
    ScratchCarver carver(base);
    const Scratch scratch(carver);
    const ReduceArguments arguments{
        view<const float>(p.a), view<const float>(b), span, {scratch.partial, blocks}, static_cast<int32_t>(p.kind)};
    const int64_t room = 32 * sizeof(double);
    SCROOGE_RETURN_IF_ERROR(work.launch({"reduce", "scrooge_reduce"}, {256, blocks, 1, 1, room}, arguments));
    const AddPartialArguments rest{{scratch.partial, blocks}, {scratch.sum, 1}};
    SCROOGE_RETURN_IF_ERROR(work.launch({"reduce", "scrooge_reduce_partial"}, {256, 1, 1, 1, room}, rest));
    return work.fetch(scratch.sum, std::span<double>(p.result, 1));
  });
}

}  // namespace scrooge::backend::cuda
