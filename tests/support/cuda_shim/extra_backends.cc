// SPDX-License-Identifier: Apache-2.0
// For test programs in which `cuda-shim` is a backend like others.
#include "tests/support/cuda_shim/shim_backend.h"

namespace scrooge::backend {

std::span<const Backend> extra_backends() {
  static const Backend kExtra[] = {test::shim::shim_backend()};
  return kExtra;
}

}  // namespace scrooge::backend
