// SPDX-License-Identifier: Apache-2.0
// Shapes shared by the suites: odd sizes around the widths of vector registers and tiles.
#pragma once

#include <cstdint>
#include <string>

#include "src/base/text.h"

namespace scrooge::test {

struct MatrixShape {
  int64_t rows = 1;
  int64_t cols = 1;
  std::string name() const { return concat("r", rows, "_c", cols); }
};

#define SCROOGE_MATRIX_SHAPES                                                                        \
  MatrixShape{1, 1}, MatrixShape{0, 5}, MatrixShape{3, 17}, MatrixShape{17, 3}, MatrixShape{31, 33}, \
      MatrixShape{65, 127}, MatrixShape{33, 576}, MatrixShape {                                      \
    301, 65                                                                                          \
  }

}  // namespace scrooge::test
