// SPDX-License-Identifier: Apache-2.0
// Which device a name of the user's means.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "src/backend/backend_list.h"

namespace scrooge::pipeline {

// Its buffers are no memory of the host's, and have a budget of their own.
inline bool has_own_memory(const backend::DeviceInfo& device) {
  return !device.host_memory && !device.integrated && !device.software;
}

struct ChosenDevice {
  const backend::Backend* backend = nullptr;
  int index = 0;
  backend::DeviceInfo info;
  std::string reason;  // why this one, where it was chosen among several; for people

  // "cpu", "vulkan", "cuda:1": what names it again.
  std::string id() const;
  bool own_memory() const { return has_own_memory(info); }
  Result<std::unique_ptr<backend::Device>> create(const backend::DeviceOptions& options) const {
    return backend->create(index, options);
  }
};

// What `name` means among the devices there are:
//  - NAME or NAME:INDEX of a backend: that device;
//  - "auto": the best fit, that is a card with memory of its own before an integrated one before the host, and among
//    equals the order of the list; never a driver in software, never one that is unfit;
//  - else a part of a device's name, in any case. One card that several backends have is the first one's; several
//    devices of which it is a part are kInvalidArgument, listing them.
// kUnavailable for what is not there or unfit, saying why and what there is; never another device in its place.
Result<ChosenDevice> choose_device(std::string_view name,
                                   std::span<const backend::Backend> backends = backend::all_backends());

}  // namespace scrooge::pipeline
