// SPDX-License-Identifier: Apache-2.0
// The backend `cuda-shim`: the host code and the kernels of backends/cuda on the fake driver. Known to test programs
// only, which link scrooge_cuda_shim and name it in their extra_backends().
#pragma once

#include "src/backend/backend_list.h"

namespace scrooge::test::shim {

backend::Backend shim_backend();

}  // namespace scrooge::test::shim
