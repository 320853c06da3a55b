// SPDX-License-Identifier: Apache-2.0
#include "backends/cuda/device_info.h"

#include "backends/cuda/cuda_status.h"
#include "backends/cuda/driver_context.h"

namespace scrooge::backend::cuda {
namespace {

int attribute(const DriverApi& api, CuDevice device, int which) {
  int value = 0;
  return api.device_attribute(&value, which, device) == kCuSuccess ? value : 0;
}

std::string unfit_reason(int major, int minor) {
  if (major > 7 || (major == 7 && minor >= 5)) return {};
  return concat("compute capability ", major, ".", minor, " is below 7.5, the least that the kernels are built for");
}

void add_memory(const DriverApi& api, CuDevice device, DeviceInfo& info) {
  size_t free = 0, total = 0;
  if (api.device_total_memory(&total, device) == kCuSuccess) info.total_bytes = total;
  DriverContext context(api, device);
  if (!context.open().ok()) return;
  const DriverContext::Current current(context);
  if (!current.status().ok() || api.memory_info(&free, &total) != kCuSuccess) return;
  info.free_bytes = free;
}

}  // namespace

DeviceInfo describe_card(const DriverApi& api, CuDevice device, std::string_view backend) {
  DeviceInfo info;
  info.backend = backend;
  char name[256] = {};
  info.name = api.device_name(name, sizeof name - 1, device) == kCuSuccess ? name : "NVIDIA card";
  const int major = attribute(api, device, kCuAttributeCapabilityMajor);
  const int minor = attribute(api, device, kCuAttributeCapabilityMinor);
  info.features = concat("sm_", major, minor);
  info.integrated = attribute(api, device, kCuAttributeIntegrated) != 0;
  info.unfit = unfit_reason(major, minor);
  int version = 0;  // 1000 * major + 10 * minor
  if (api.driver_version(&version) == kCuSuccess) {
    info.driver = concat("CUDA ", version / 1000, ".", version % 1000 / 10);
  }
  add_memory(api, device, info);
  return info;
}

Result<std::vector<DeviceInfo>> list_cards(const DriverApi& api, std::string_view backend) {
  int count = 0;
  SCROOGE_RETURN_IF_ERROR(check(api, api.device_count(&count), "cuDeviceGetCount"));
  if (count == 0) return error(StatusCode::kUnavailable, "cuda: the driver sees no card (see CUDA_VISIBLE_DEVICES)");
  std::vector<DeviceInfo> cards;
  for (int index = 0; index < count; ++index) {
    CuDevice device = 0;
    SCROOGE_RETURN_IF_ERROR(check(api, api.device_get(&device, index), "cuDeviceGet"));
    cards.push_back(describe_card(api, device, backend));
  }
  return cards;
}

Result<CuDevice> find_card(const DriverApi& api, int index) {
  int count = 0;
  SCROOGE_RETURN_IF_ERROR(check(api, api.device_count(&count), "cuDeviceGetCount"));
  if (count == 0) return error(StatusCode::kUnavailable, "cuda: the driver sees no card (see CUDA_VISIBLE_DEVICES)");
  if (index < 0 || index >= count) {
    return error(StatusCode::kInvalidArgument, "device: cuda:", index, " does not exist; there ",
                 count == 1 ? "is one card, cuda:0" : concat("are ", count, ", cuda:0 to cuda:", count - 1));
  }
  CuDevice device = 0;
  SCROOGE_RETURN_IF_ERROR(check(api, api.device_get(&device, index), "cuDeviceGet"));
  const std::string unfit = unfit_reason(attribute(api, device, kCuAttributeCapabilityMajor),
                                         attribute(api, device, kCuAttributeCapabilityMinor));
  if (!unfit.empty()) return error(StatusCode::kUnavailable, "cuda: card ", index, ": ", unfit);
  return device;
}

}  // namespace scrooge::backend::cuda
