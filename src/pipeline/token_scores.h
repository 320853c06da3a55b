// SPDX-License-Identifier: Apache-2.0
// Per-token sums over the vocabulary, fed one slice of the vocabulary at a time, so that no full row of logits is ever
// held. For logits l (model) and r (reference), with running maxima:
//   log Z_l = log sum e^l,  NLL = log Z_l - l[target]
//   KL(r || l) = sum p_r (r - l) - log Z_r + log Z_l,  p_r = e^r / Z_r
#pragma once

#include <cstdint>
#include <limits>
#include <span>

namespace scrooge::pipeline {

struct TokenScore {
  float max = -std::numeric_limits<float>::infinity();
  float reference_max = -std::numeric_limits<float>::infinity();
  double sum = 0;  // sum e^(l - max)
  double reference_sum = 0;
  double weighted_difference = 0;  // sum e^(r - reference_max) (r - l)
  float target = 0;                // the target token's logits
  float reference_target = 0;
  int32_t best = -1;  // likeliest token so far, lowest id on ties
  int32_t reference_best = -1;

  // Logits of the tokens first, first + 1, ...; `reference` empty when there is none, else as long as `logits`.
  void add(std::span<const float> logits, std::span<const float> reference, int32_t first, int32_t target_id);

  double log_likelihood() const;
  double reference_log_likelihood() const;
  double kl() const;
};

}  // namespace scrooge::pipeline
