// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "src/backend/device.h"

namespace scrooge::pipeline {

struct ListedDevice {
  std::string id;  // what options take: "cpu", "cuda:1"
  bool available = false;
  backend::DeviceInfo info;  // when not available, `unfit` says why
};

// Devices of all backends, in the order of preference; a backend that cannot run is one entry that says why.
std::vector<ListedDevice> list_devices();

}  // namespace scrooge::pipeline
