// SPDX-License-Identifier: Apache-2.0
// What quantize and dequantize show their shaders: some rows of weights, scales, zeros and codes.
#pragma once

#include "backends/vulkan/shaders/codes_push.h"
#include "backends/vulkan/windows.h"

namespace scrooge::backend::vulkan {

struct CodesRows {
  Binding w, scales, zeros, codes;
  CodesPush push;
};

// Params: QuantizeParams or DequantizeParams. REQUIRES: the rows fit.
template <typename Params>
CodesRows codes_rows(const Windows& windows, const Params& params, int64_t first, int64_t count) {
  const Window w = windows.of(params.w.row_range(first, count));
  const Window scales = windows.of(params.scales.row_range(first, count));
  const Window zeros = windows.of(params.zeros.row_range(first, count));
  const Window codes = windows.of(params.codes.row_range(first, count));
  const int64_t k = params.w.cols;
  return {w.binding,
          scales.binding,
          zeros.binding,
          codes.binding,
          {w.view, scales.view, zeros.view, codes.view, static_cast<uint>(count), static_cast<uint>(k),
           static_cast<uint>(params.spec.group_length(k)), 0}};
}

}  // namespace scrooge::backend::vulkan
