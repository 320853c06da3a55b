// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <vector>

#include "backends/reference/elements.h"
#include "backends/reference/reference_device.h"
#include "src/backend/validate.h"

namespace scrooge::backend::reference {

Status ReferenceDevice::attention_causal(const AttentionCausalParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  const int64_t length = p.sequence_length;
  const int64_t width = p.head_width;
  std::vector<double> weights(static_cast<size_t>(length));
  for (int64_t t = 0; t < p.q.rows; ++t) {
    const int64_t start = t - t % length;  // the first row of this sequence; rows start..t are seen
    const int64_t seen = t - start + 1;
    for (int64_t head = 0; head < p.heads; ++head) {
      const int64_t query = head * width;
      const int64_t key = head / (p.heads / p.kv_heads) * width;
      double greatest = -HUGE_VAL;
      for (int64_t j = 0; j < seen; ++j) {
        double dot = 0;
        for (int64_t i = 0; i < width; ++i) {
          dot += static_cast<double>(load(p.q, t, query + i)) * load(p.k, start + j, key + i);
        }
        weights[static_cast<size_t>(j)] = dot * p.scale;
        greatest = std::max(greatest, weights[static_cast<size_t>(j)]);
      }
      double total = 0;
      for (int64_t j = 0; j < seen; ++j) {
        double& weight = weights[static_cast<size_t>(j)];
        weight = std::exp(weight - greatest);
        total += weight;
      }
      for (int64_t i = 0; i < width; ++i) {
        double sum = 0;
        for (int64_t j = 0; j < seen; ++j) sum += weights[static_cast<size_t>(j)] * load(p.v, start + j, key + i);
        store(p.out, t, query + i, sum / total);
      }
    }
  }
  return {};
}

}  // namespace scrooge::backend::reference
