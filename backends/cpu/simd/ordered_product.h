// SPDX-License-Identifier: Apache-2.0
// Matrix products whose every element is one fixed sequence of operations, whatever the instruction set: for each 128
// steps of k a sum from zero in the order of k, each product rounded before it is added, times alpha; these added to c
// in order. Vectors lie along the columns of c, so that their width does not show.
#pragma once

#include "backends/cpu/matrix_product.h"

namespace scrooge::backend::cpu {

void multiply_ordered(const BasicProduct<float>& product);
void multiply_ordered(const BasicProduct<double>& product);

}  // namespace scrooge::backend::cpu
