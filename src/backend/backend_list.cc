// SPDX-License-Identifier: Apache-2.0
#include "src/backend/backend_list.h"

#include <charconv>

#include "backends/cpu/cpu_backend.h"
#if SCROOGE_HAVE_CUDA
#include "backends/cuda/cuda_backend.h"
#endif
#include "backends/reference/reference_backend.h"
#if SCROOGE_HAVE_VULKAN
#include "backends/vulkan/vulkan_backend.h"
#endif

namespace scrooge::backend {
namespace {

struct DeviceName {
  const Backend* backend = nullptr;
  int index = 0;
};

Result<DeviceName> parse_name(std::string_view name) {
  DeviceName result;
  std::string_view backend_name = name;
  if (const size_t colon = name.find(':'); colon != std::string_view::npos) {
    backend_name = name.substr(0, colon);
    const std::string_view digits = name.substr(colon + 1);
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), result.index);
    if (failure != std::errc() || end != digits.data() + digits.size() || result.index < 0) {
      return error(StatusCode::kInvalidArgument, "device: \"", printable(name), "\" is not NAME or NAME:INDEX");
    }
  }
  std::string known;
  for (const Backend& candidate : all_backends()) {
    if (candidate.name == backend_name) {
      result.backend = &candidate;
      return result;
    }
    known += concat(known.empty() ? "" : ", ", candidate.name);
  }
  return error(StatusCode::kUnavailable, "device: \"", printable(name), "\" is not in this build; it has ", known);
}

}  // namespace

std::span<const Backend> all_backends() {
  static constexpr Backend kBackends[] = {
    {"cpu", cpu::list_devices, cpu::create_device, cpu::scratch_bytes},
    // Eigen's products whatever the processor: lists no device, so that only tests ask for it.
    {"cpu-eigen", cpu::list_devices_eigen, cpu::create_device_eigen, cpu::scratch_bytes},
    // Lists no device either: a job's option asks for it.
    {kReproducibleBackend, cpu::list_devices_reproducible, cpu::create_device_reproducible, cpu::scratch_bytes},
#if SCROOGE_HAVE_CUDA
    {"cuda", cuda::list_devices, cuda::create_device, cuda::scratch_bytes, cuda::host_scratch_bytes},
#endif
#if SCROOGE_HAVE_VULKAN
    {"vulkan", vulkan::list_devices, vulkan::create_device, vulkan::scratch_bytes, vulkan::host_scratch_bytes},
#endif
    {"reference", reference::list_devices, reference::create_device, nullptr},
  };
  static const std::vector<Backend> all = [] {
    std::vector<Backend> list(std::begin(kBackends), std::end(kBackends));
    const std::span<const Backend> extra = extra_backends();
    list.insert(list.end(), extra.begin(), extra.end());
    return list;
  }();
  return all;
}

Result<const Backend*> find_backend(std::string_view name) {
  SCROOGE_ASSIGN_OR_RETURN(const DeviceName parsed, parse_name(name));
  return parsed.backend;
}

Result<std::unique_ptr<Device>> create_device(std::string_view name, const DeviceOptions& options) {
  SCROOGE_ASSIGN_OR_RETURN(const DeviceName parsed, parse_name(name));
  return parsed.backend->create(parsed.index, options);
}

}  // namespace scrooge::backend
