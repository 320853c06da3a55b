// SPDX-License-Identifier: Apache-2.0
// Elementary functions of which every system makes the same bits. Those of the C library differ in the last place from
// library to library and processor to processor; these are plain f64 arithmetic, within 4 units in the last place of
// the true value (`portable_power`: 4 times |exponent * log(base)|, where that is above 1), which the tests check.
#pragma once

namespace scrooge {

double portable_exp(double x);  // 0 below -708, infinity above 709
double portable_log(double x);  // REQUIRES: x > 0, finite and normal
// REQUIRES: base is finite and >= 0. power(0, e) is 0, 1 or infinity, by the sign of e; a subnormal base counts as 0.
double portable_power(double base, double exponent);

struct SineCosine {
  double sine, cosine;
};
// REQUIRES: |angle| <= 10^6 for the accuracy above, which is then of 1, not of the result.
SineCosine portable_sine_cosine(double angle);

// The complementary error function, within 2^-44 of its value.
double portable_erfc(double x);

}  // namespace scrooge
