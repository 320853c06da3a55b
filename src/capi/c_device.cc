// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <span>

#include "src/capi/c_support.h"
#include "src/pipeline/device_choice.h"
#include "src/pipeline/device_listing.h"

namespace scrooge::capi {
namespace {

void set_text(std::span<char> field, std::string_view text) {
  const size_t count = std::min(text.size(), field.size() - 1);
  std::copy_n(text.begin(), count, field.begin());
  field[count] = '\0';
}

scrooge_device_info describe(std::string_view id, bool available, const backend::DeviceInfo& device) {
  scrooge_device_info info{};
  info.available = available ? 1 : 0;
  info.total_bytes = device.total_bytes;
  info.free_bytes = device.free_bytes;
  set_text(info.id, id);
  set_text(info.name, device.name);
  set_text(info.features, available ? device.features : device.unfit);
  info.own_memory = pipeline::has_own_memory(device) && available ? 1 : 0;
  info.software = device.software ? 1 : 0;
  set_text(info.driver, device.driver);
  set_text(info.unfit, device.unfit);
  return info;
}

// Of the first release's struct: what came later may be missing from a caller's.
constexpr size_t kFirstSize = offsetof(scrooge_device_info, own_memory);

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
    const auto& device = devices[index];
    return scrooge::capi::write_info(scrooge::capi::describe(device.id, device.available, device.info),
                                     scrooge::capi::kFirstSize, "info", info);
  });
}

scrooge_status scrooge_device_find(const char* name, scrooge_device_info* info, scrooge_error** error) {
  return scrooge::capi::guarded(error, [&]() -> scrooge::Status {
    SCROOGE_ASSIGN_OR_RETURN(const auto device, scrooge::pipeline::choose_device(scrooge::capi::text_or_empty(name)));
    scrooge_device_info found = scrooge::capi::describe(device.id(), true, device.info);
    scrooge::capi::set_text(found.reason, device.reason);
    return scrooge::capi::write_info(found, scrooge::capi::kFirstSize, "info", info);
  });
}

}  // extern "C"
