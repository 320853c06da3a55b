// SPDX-License-Identifier: Apache-2.0
// Tasks are tiles of 32 rows, held transposed ([step][row]) so that one step of the recurrence is one vector operation
// over the rows. Steps go in blocks: within one a step first takes what the steps before it in the block owe it, and at
// the end of a block its errors are spread over all later steps at once.
#include "backends/cpu/cpu_device.h"
#include "backends/cpu/ops/scratch_parts.h"
#include "backends/cpu/simd/gptq_tile.h"
#include "src/backend/validate.h"

namespace scrooge::backend::cpu {
namespace {

constexpr int64_t kBlock = 64;  // steps

struct Workspace {
  Workspace(Carver& carver, int64_t k, int64_t groups) {
    w = carver.take<float>(k * kGptqRows);
    scales = carver.take<float>(groups * kGptqRows);
    zeros = carver.take<float>(groups * kGptqRows);
    error = carver.take<float>(kBlock * kGptqRows);
  }
  float* w;  // [step][row]: weights, then codes
  float* scales;
  float* zeros;
  float* error;  // [step of the block][row]
};

// Rows beyond the last are zeros under the scale 1, which make no error.
void load_tile(const GptqParams& p, int64_t first, int64_t count, const Workspace& space) {
  for (int64_t r = 0; r < kGptqRows; ++r) {
    const bool real = r < count;
    const float* w = real ? row_of<float>(p.w, first + r) : nullptr;
    for (int64_t j = 0; j < p.w.cols; ++j) {
      space.w[j * kGptqRows + r] = real ? w[p.order[static_cast<size_t>(j)]] : 0;
    }
    for (int64_t g = 0; g < p.scales.cols; ++g) {
      space.scales[g * kGptqRows + r] = real ? row_of<float>(p.scales, first + r)[g] : 1;
      space.zeros[g * kGptqRows + r] = real ? row_of<float>(p.zeros, first + r)[g] : 0;
    }
  }
}

void store_codes(const GptqParams& p, int64_t first, int64_t count, const float* codes) {
  for (int64_t r = 0; r < count; ++r) {
    auto* to = row_of<uint8_t>(p.codes, first + r);
    for (int64_t j = 0; j < p.w.cols; ++j) {
      to[p.order[static_cast<size_t>(j)]] = static_cast<uint8_t>(codes[j * kGptqRows + r]);
    }
  }
}

Status round_tile(const Execution& execution, int worker, const GptqParams& p, const Workspace& space) {
  const int64_t k = p.w.cols;
  const int64_t group = p.spec.group_length(k);
  const auto top = static_cast<float>(p.spec.max_code());
  const GptqFactor factor{row_of<float>(p.factor, 0), p.factor.stride};
  for (int64_t begin = 0; begin < k; begin += kBlock) {
    const int64_t end = std::min(k, begin + kBlock);
    SCROOGE_RETURN_IF_ERROR(execution.check_cancelled(worker));
    for (int64_t j = begin; j < end; ++j) {
      spread_error(factor, begin, j, j, j + 1, space.error, space.w);
      const int64_t channel = p.order[static_cast<size_t>(j)];
      const int64_t g = channel / group * kGptqRows;
      round_step(space.scales + g, space.zeros + g, top, row_of<float>(p.factor, j)[j], space.w + j * kGptqRows,
                 space.error + (j - begin) * kGptqRows);
    }
    spread_error(factor, begin, end, end, k, space.error, space.w);
  }
  return {};
}

}  // namespace

uint64_t gptq_scratch(int64_t k) {
  Carver carver;
  const Workspace space(carver, k, k);
  return carver.used();
}

Status CpuDevice::gptq(const GptqParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  const int64_t k = p.w.cols;
  if (p.w.rows == 0 || k == 0) return {};
  Carver sizes;
  const Workspace sized(sizes, k, p.scales.cols);
  SCROOGE_RETURN_IF_ERROR(scratch_.prepare(0, sizes.used()));
  const Execution context = execution();
  return context.for_each((p.w.rows + kGptqRows - 1) / kGptqRows, [&](int64_t index, int worker) {
    Carver carver(scratch_.worker(worker));
    const Workspace space(carver, k, p.scales.cols);
    const int64_t first = index * kGptqRows;
    const int64_t count = std::min(kGptqRows, p.w.rows - first);
    load_tile(p, first, count, space);
    SCROOGE_RETURN_IF_ERROR(round_tile(context, worker, p, space));
    store_codes(p, first, count, space.w);
    return Status();
  });
}

}  // namespace scrooge::backend::cpu
