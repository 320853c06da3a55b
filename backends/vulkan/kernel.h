// SPDX-License-Identifier: Apache-2.0
// A shader with its specialization constants, made into a pipeline, and how fast it was found to be.
#pragma once

#include <volk.h>

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "backends/vulkan/physical_device.h"
#include "backends/vulkan/pipeline_file.h"
#include "backends/vulkan/shader.h"
#include "src/base/result.h"

namespace scrooge::backend::vulkan {

struct Kernel {
  VkPipeline pipeline = VK_NULL_HANDLE;
  // Units of work a second, as measured; what a unit is, the op that runs the kernel decides. A first guess on the low
  // side: what a telephone does in f32.
  std::atomic<double> speed{2e9};
};

// The pipelines of one VkDevice, made when they are first asked for. Thread-safe.
class Kernels {
 public:
  // cache_folder: see PipelineFile.
  Kernels(const PhysicalDevice& physical, VkDevice device, const VolkDeviceTable& vk, const std::string& cache_folder)
      : physical_(physical), device_(device), vk_(vk), file_(cache_folder, physical) {}
  Kernels(const Kernels&) = delete;
  Kernels& operator=(const Kernels&) = delete;
  ~Kernels();  // saves what was made

  Status init();
  // constants[i] is the specialization constant with the number i.
  Result<Kernel*> get(const Shader& shader, std::span<const uint32_t> constants);

  // The same for all shaders: kBindings storage buffers in set 0, of which one may use fewer, and kPushBytes.
  VkDescriptorSetLayout set_layout() const { return set_layout_; }
  VkPipelineLayout layout() const { return layout_; }

 private:
  void save();
  Result<std::unique_ptr<Kernel>> make(const Shader& shader, std::span<const uint32_t> constants);

  const PhysicalDevice& physical_;
  const VkDevice device_;
  const VolkDeviceTable& vk_;
  const PipelineFile file_;
  VkDescriptorSetLayout set_layout_ = VK_NULL_HANDLE;
  VkPipelineLayout layout_ = VK_NULL_HANDLE;
  VkPipelineCache cache_ = VK_NULL_HANDLE;
  std::mutex mutex_;
  std::map<std::pair<const Shader*, std::vector<uint32_t>>, std::unique_ptr<Kernel>> kernels_;
};

// `words` with the modes of arithmetic declared that the device offers: round to nearest even, denormals kept, NaN and
// infinity kept. glslc cannot ask for what only some devices have.
std::vector<uint32_t> with_float_modes(std::span<const uint32_t> words, const PhysicalDevice& device);

}  // namespace scrooge::backend::vulkan
