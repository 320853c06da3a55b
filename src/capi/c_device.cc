// SPDX-License-Identifier: Apache-2.0
#include <span>

#include "src/capi/c_support.h"
#include "src/pipeline/device_listing.h"

namespace scrooge::capi {
namespace {

void set_text(std::span<char> field, std::string_view text) {
  const size_t count = std::min(text.size(), field.size() - 1);
  std::copy_n(text.begin(), count, field.begin());
  field[count] = '\0';
}

scrooge_device_info describe(const pipeline::ListedDevice& device) {
  scrooge_device_info info{};
  info.available = device.available ? 1 : 0;
  info.total_bytes = device.info.total_bytes;
  info.free_bytes = device.info.free_bytes;
  set_text(info.id, device.id);
  set_text(info.name, device.info.name);
  set_text(info.features, device.info.features);
  return info;
}

}  // namespace
}  // namespace scrooge::capi

extern "C" {

uint32_t scrooge_device_count(void) {
  uint32_t count = 0;
  (void)scrooge::capi::guarded(nullptr, [&]() -> scrooge::Status {
    count = static_cast<uint32_t>(scrooge::pipeline::list_devices().size());
    return {};
  });
  return count;
}

scrooge_status scrooge_device_get_info(uint32_t index, scrooge_device_info* info, scrooge_error** error) {
  return scrooge::capi::guarded(error, [&]() -> scrooge::Status {
    const auto devices = scrooge::pipeline::list_devices();
    if (index >= devices.size()) {
      return scrooge::error(scrooge::StatusCode::kInvalidArgument, "index: ", index, ", there are ", devices.size(),
                            " devices");
    }
    return scrooge::capi::write_info(scrooge::capi::describe(devices[index]), sizeof(scrooge_device_info), "info",
                                     info);
  });
}

}  // extern "C"
