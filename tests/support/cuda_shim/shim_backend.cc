// SPDX-License-Identifier: Apache-2.0
#include "tests/support/cuda_shim/shim_backend.h"

#include "backends/cuda/cuda_backend.h"
#include "backends/cuda/cuda_device.h"
#include "backends/cuda/device_info.h"
#include "tests/support/cuda_shim/fake_blas.h"
#include "tests/support/cuda_shim/fake_driver.h"
#include "tests/support/cuda_shim/shim_images.h"

namespace scrooge::test::shim {
namespace {

using namespace scrooge::backend;

constexpr std::string_view kName = "cuda-shim";

// Small shapes in many pieces.
constexpr cuda::PieceSizes kTinyPieces{
    .row_step = 16,
    .panel = 128,
    .tokens = 24,
    .weight_bytes = 4 << 10,
    .input_bytes = 4 << 10,
    .output_bytes = 4 << 10,
    .row_bytes = 16 << 10,
    .error_bytes = 8 << 10,
    .gram_bytes = 256 << 10,
    .factor_panel = 128,
    .factor_depth = 64,
    .factor_columns = 192,
};

Result<std::vector<DeviceInfo>> list_devices() { return cuda::list_cards(fake_driver(), kName); }

Result<std::unique_ptr<Device>> create_device(int index, const DeviceOptions& options) {
  cuda::DeviceSetup setup;
  setup.driver = &fake_driver();
  setup.images = kShimImages;
  setup.backend = kName;
  setup.load_blas = load_fake_blas;
  setup.blas_workspace = 4 << 10;
  setup.pieces = kTinyPieces;
  setup.arena.slab = 0;  // every buffer between guards of its own
  SCROOGE_ASSIGN_OR_RETURN(auto device, cuda::CudaDevice::open(setup, index, options));
  return std::unique_ptr<Device>(std::move(device));
}

}  // namespace

Backend shim_backend() { return {kName, list_devices, create_device, cuda::scratch_bytes, cuda::host_scratch_bytes}; }

}  // namespace scrooge::test::shim
