// SPDX-License-Identifier: Apache-2.0
// cuBLASLt for tests, on the fake driver's streams and memory, products by Eigen. It refuses what the library would,
// and what would be slow or unsafe there: layouts that do not fit the product, addresses and row lengths that are not
// aligned as was said, another problem than the algorithm was chosen for, less workspace than that needs, operands
// outside one buffer. Every product writes NaN all over its workspace.
#pragma once

#include "backends/cuda/blas_api.h"

namespace scrooge::test::shim {

Result<const backend::cuda::BlasApi*> load_fake_blas();

// Products asked for so far, and heuristics.
uint64_t products_run();
uint64_t heuristics_asked();

// Handles and descriptors that were made and not destroyed.
int64_t blas_objects();

// The next call of this exported function gives `result`.
void fail_blas(std::string_view symbol, backend::cuda::BlasResult result);

}  // namespace scrooge::test::shim
