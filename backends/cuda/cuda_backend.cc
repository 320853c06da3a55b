// SPDX-License-Identifier: Apache-2.0
#include "backends/cuda/cuda_backend.h"

#include "backends/cuda/cuda_device.h"
#include "backends/cuda/device_info.h"

namespace scrooge::backend::cuda {

Result<std::vector<DeviceInfo>> list_devices() {
  SCROOGE_ASSIGN_OR_RETURN(const DriverApi* const driver, load_driver());
  SCROOGE_ASSIGN_OR_RETURN(std::vector<DeviceInfo> cards, list_cards(*driver, "cuda"));
  // The driver comes without it; better said here than at a job's first product.
  if (const auto blas = load_blas(); !blas.ok()) {
    for (DeviceInfo& card : cards) {
      if (card.unfit.empty()) card.unfit = blas.status().message();
    }
  }
  return cards;
}

Result<std::unique_ptr<Device>> create_device(int index, const DeviceOptions& options) {
  SCROOGE_ASSIGN_OR_RETURN(const DriverApi* const driver, load_driver());
  DeviceSetup setup;
  setup.driver = driver;
  setup.images = kernel_images();
  setup.load_blas = load_blas;
  SCROOGE_ASSIGN_OR_RETURN(auto device, CudaDevice::open(setup, index, options));
  return std::unique_ptr<Device>(std::move(device));
}

}  // namespace scrooge::backend::cuda
