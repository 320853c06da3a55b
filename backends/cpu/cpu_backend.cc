// SPDX-License-Identifier: Apache-2.0
#include "backends/cpu/cpu_backend.h"

#include "backends/cpu/cpu_device.h"

namespace scrooge::backend::cpu {
namespace {

Result<std::unique_ptr<MatrixProduct>> best_product(MemoryBudget& budget, int threads, const Processor& processor) {
  SCROOGE_ASSIGN_OR_RETURN(auto product, make_onednn_product(budget, threads, processor.avx2, processor.bf16));
  return product != nullptr ? std::move(product) : make_eigen_product();
}

Status check_index(int index, std::string_view name) {
  if (index == 0) return {};
  return error(StatusCode::kInvalidArgument, "device: ", name, ":", index, " does not exist; there is one, ", name,
               ":0");
}

}  // namespace

DeviceInfo device_info(std::string_view name, const Processor& processor, std::string_view provider) {
  DeviceInfo info;
  info.backend = name;
  info.name = processor.name;
  info.features = provider;
  info.total_bytes = processor.total_bytes;
  info.free_bytes = processor.free_bytes;
  info.host_memory = true;
  if (provider == kOrderedProduct) return info;  // whose results no feature changes
  info.features += processor.avx512 ? ",avx512" : processor.avx2 ? ",avx2" : "";
  if (processor.bf16 && provider != "eigen") info.features += processor.amx ? ",amx-bf16" : ",avx512-bf16";
  return info;
}

Result<std::vector<DeviceInfo>> list_devices() {
  const Processor processor = detect_processor();
  MemoryBudget unused;
  SCROOGE_ASSIGN_OR_RETURN(const auto product, best_product(unused, 1, processor));
  return std::vector<DeviceInfo>{device_info("cpu", processor, product->name())};
}

Result<std::unique_ptr<Device>> create_device(int index, const DeviceOptions& options) {
  SCROOGE_RETURN_IF_ERROR(check_index(index, "cpu"));
  const Processor processor = detect_processor();
  const int threads = std::max(1, options.threads);
  SCROOGE_ASSIGN_OR_RETURN(auto product, best_product(*options.budget, threads, processor));
  return std::unique_ptr<Device>(std::make_unique<CpuDevice>(options, processor, std::move(product), "cpu"));
}

Result<std::vector<DeviceInfo>> list_devices_eigen() { return std::vector<DeviceInfo>{}; }

Result<std::unique_ptr<Device>> create_device_eigen(int index, const DeviceOptions& options) {
  SCROOGE_RETURN_IF_ERROR(check_index(index, "cpu-eigen"));
  return std::unique_ptr<Device>(
      std::make_unique<CpuDevice>(options, detect_processor(), make_eigen_product(), "cpu-eigen"));
}

Result<std::vector<DeviceInfo>> list_devices_reproducible() { return std::vector<DeviceInfo>{}; }

Result<std::unique_ptr<Device>> create_device_reproducible(int index, const DeviceOptions& options) {
  SCROOGE_RETURN_IF_ERROR(check_index(index, "cpu-reproducible"));
  return std::unique_ptr<Device>(
      std::make_unique<CpuDevice>(options, detect_processor(), make_ordered_product(), "cpu-reproducible"));
}

}  // namespace scrooge::backend::cpu
