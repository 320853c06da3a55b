// SPDX-License-Identifier: Apache-2.0
#include "src/pipeline/device_listing.h"

#include "src/backend/backend_list.h"

namespace scrooge::pipeline {

std::vector<ListedDevice> list_devices() {
  std::vector<ListedDevice> devices;
  for (const backend::Backend& backend : backend::all_backends()) {
    const auto listed = backend.list_devices();
    if (!listed.ok()) {
      ListedDevice missing;
      missing.id = backend.name;
      missing.info.name = backend.name;
      missing.info.unfit = listed.status().message();
      devices.push_back(std::move(missing));
      continue;
    }
    for (size_t i = 0; i < listed->size(); ++i) {
      const backend::DeviceInfo& info = (*listed)[i];
      devices.push_back({i == 0 ? std::string(backend.name) : concat(backend.name, ":", i), info.unfit.empty(), info});
    }
  }
  return devices;
}

}  // namespace scrooge::pipeline
