// SPDX-License-Identifier: Apache-2.0
// Row arithmetic of the forward pass and sums. In-place use (y is an input) is fine everywhere.
#pragma once

#include <cstdint>

#include "src/backend/op_params.h"

namespace scrooge::backend::cpu {

// Sums in f64, in an order that depends on n only.
double dot_f64(const float* a, const float* b, int64_t n);
double squared_difference_f64(const float* a, const float* b, int64_t n);
int64_t count_non_finite(const float* a, int64_t n);

void add_scaled_row(const float* x, float alpha, float* y, int64_t n);                      // y += alpha x
void multiply_row(const float* x, const float* s, float* y, int64_t n);                     // y = x * s
void scale_row(const float* x, float factor, float* y, int64_t n);                          // y = x * factor
void normalize_row(const float* x, float factor, const float* gamma, float* y, int64_t n);  // y = x * factor * gamma
void subtract_row(const float* a, const float* b, float* y, int64_t n);                     // y = a - b
// In place on both halves: (a, b) becomes (a cos - b sin, b cos + a sin).
void rotate_row(float* a, float* b, const float* cosine, const float* sine, int64_t n);
void gate_row(Activation activation, const float* a, const float* b, float* y, int64_t n);
// s = exp(scale * s - max of that); returns the sum. n >= 1.
float exp_row(float* s, float scale, int64_t n);

}  // namespace scrooge::backend::cpu
