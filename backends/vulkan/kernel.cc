// SPDX-License-Identifier: Apache-2.0
#include "backends/vulkan/kernel.h"

#include <array>

#include "backends/vulkan/vulkan_status.h"

namespace scrooge::backend::vulkan {

Kernels::~Kernels() {
  save();
  for (const auto& [key, kernel] : kernels_) vk_.vkDestroyPipeline(device_, kernel->pipeline, nullptr);
  vk_.vkDestroyPipelineCache(device_, cache_, nullptr);
  vk_.vkDestroyPipelineLayout(device_, layout_, nullptr);
  vk_.vkDestroyDescriptorSetLayout(device_, set_layout_, nullptr);
}

void Kernels::save() {
  if (!file_.exists() || kernels_.empty()) return;
  size_t size = 0;
  if (vk_.vkGetPipelineCacheData(device_, cache_, &size, nullptr) != VK_SUCCESS) return;
  std::vector<std::byte> data(size);
  if (vk_.vkGetPipelineCacheData(device_, cache_, &size, data.data()) != VK_SUCCESS) return;
  data.resize(size);
  if (data != file_.load()) file_.save(data);
}

Status Kernels::init() {
  std::array<VkDescriptorSetLayoutBinding, kBindings> bindings = {};
  for (uint32_t i = 0; i < kBindings; ++i) {
    bindings[i] = {i, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT, nullptr};
  }
  VkDescriptorSetLayoutCreateInfo set_info{};
  set_info.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO;
  set_info.bindingCount = kBindings;
  set_info.pBindings = bindings.data();
  SCROOGE_RETURN_IF_VK_ERROR("vkCreateDescriptorSetLayout",
                             vk_.vkCreateDescriptorSetLayout(device_, &set_info, nullptr, &set_layout_));
  const VkPushConstantRange push{VK_SHADER_STAGE_COMPUTE_BIT, 0, kPushBytes};
  VkPipelineLayoutCreateInfo layout_info{};
  layout_info.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO;
  layout_info.setLayoutCount = 1;
  layout_info.pSetLayouts = &set_layout_;
  layout_info.pushConstantRangeCount = 1;
  layout_info.pPushConstantRanges = &push;
  SCROOGE_RETURN_IF_VK_ERROR("vkCreatePipelineLayout",
                             vk_.vkCreatePipelineLayout(device_, &layout_info, nullptr, &layout_));
  VkPipelineCacheCreateInfo cache_info{};
  cache_info.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO;
  const std::vector<std::byte> kept = file_.load();
  cache_info.initialDataSize = kept.size();
  cache_info.pInitialData = kept.data();
  SCROOGE_RETURN_IF_VK_ERROR("vkCreatePipelineCache",
                             vk_.vkCreatePipelineCache(device_, &cache_info, nullptr, &cache_));
  return {};
}

Result<Kernel*> Kernels::get(const Shader& shader, std::span<const uint32_t> constants) {
  const std::lock_guard lock(mutex_);
  auto& kernel = kernels_[{&shader, {constants.begin(), constants.end()}}];
  if (kernel == nullptr) {
    auto made = make(shader, constants);
    if (!made.ok()) {
      kernels_.erase({&shader, {constants.begin(), constants.end()}});
      return made.status().with_context(shader.name);
    }
    kernel = std::move(*made);
  }
  return kernel.get();
}

Result<std::unique_ptr<Kernel>> Kernels::make(const Shader& shader, std::span<const uint32_t> constants) {
  const bool wide = physical_.wide && !shader.wide_words.empty();
  const std::vector<uint32_t> words = with_float_modes(wide ? shader.wide_words : shader.words, physical_);
  VkShaderModuleCreateInfo module_info{};
  module_info.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO;
  module_info.codeSize = words.size() * sizeof(uint32_t);
  module_info.pCode = words.data();
  VkShaderModule module = VK_NULL_HANDLE;
  SCROOGE_RETURN_IF_VK_ERROR("vkCreateShaderModule", vk_.vkCreateShaderModule(device_, &module_info, nullptr, &module));
  std::vector<VkSpecializationMapEntry> entries;
  for (uint32_t i = 0; i < constants.size(); ++i) entries.push_back({i, i * 4, 4});
  const VkSpecializationInfo specialization{static_cast<uint32_t>(entries.size()), entries.data(),
                                            constants.size_bytes(), constants.data()};
  VkComputePipelineCreateInfo info{};
  info.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO;
  info.flags = VK_PIPELINE_CREATE_DISPATCH_BASE_BIT;
  info.stage.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO;
  info.stage.stage = VK_SHADER_STAGE_COMPUTE_BIT;
  info.stage.module = module;
  info.stage.pName = "main";
  info.stage.pSpecializationInfo = &specialization;
  info.layout = layout_;
  auto kernel = std::make_unique<Kernel>();
  const VkResult result = vk_.vkCreateComputePipelines(device_, cache_, 1, &info, nullptr, &kernel->pipeline);
  vk_.vkDestroyShaderModule(device_, module, nullptr);
  SCROOGE_RETURN_IF_VK_ERROR("vkCreateComputePipelines", result);
  return kernel;
}

}  // namespace scrooge::backend::vulkan
