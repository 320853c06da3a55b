// SPDX-License-Identifier: Apache-2.0
#include "backends/vulkan/pipeline_file.h"

#include <cstring>

#include "src/base/atomic_file.h"
#include "src/base/digest.h"
#include "src/base/file_map.h"
#include "src/base/text.h"

namespace scrooge::backend::vulkan {
namespace {

constexpr char kMagic[8] = {'S', 'C', 'R', 'G', 'V', 'K', 'P', '1'};
constexpr uint64_t kLargest = uint64_t{64} << 20;

// Before the data, as it lies in memory: a file is read where it was written.
struct Header {
  char magic[8];
  uint32_t vendor, device, driver_version, api_version;
  uint8_t driver_uuid[VK_UUID_SIZE];
  uint8_t cache_uuid[VK_UUID_SIZE];
  uint64_t size, checksum;  // of the data
};
static_assert(sizeof(Header) == 72);

Header header_for(const PhysicalDevice& device, std::span<const std::byte> data) {
  Header header{};
  std::memcpy(header.magic, kMagic, sizeof(kMagic));
  header.vendor = device.vendor;
  header.device = device.device;
  header.driver_version = device.driver_version;
  header.api_version = device.api_version;
  std::memcpy(header.driver_uuid, device.driver_uuid.data(), VK_UUID_SIZE);
  std::memcpy(header.cache_uuid, device.cache_uuid.data(), VK_UUID_SIZE);
  header.size = data.size();
  header.checksum = xxh64(data);
  return header;
}

// The header that Vulkan itself puts before a pipeline cache.
bool belongs_to(const PhysicalDevice& device, std::span<const std::byte> data) {
  VkPipelineCacheHeaderVersionOne header;
  if (data.size() < sizeof(header)) return false;
  std::memcpy(&header, data.data(), sizeof(header));
  return header.headerSize == sizeof(header) && header.headerVersion == VK_PIPELINE_CACHE_HEADER_VERSION_ONE &&
         header.vendorID == device.vendor && header.deviceID == device.device &&
         std::memcmp(header.pipelineCacheUUID, device.cache_uuid.data(), VK_UUID_SIZE) == 0;
}

}  // namespace

PipelineFile::PipelineFile(std::string folder, const PhysicalDevice& device) : device_(device) {
  if (folder.empty()) return;
  const Header header = header_for(device, {});
  const uint64_t name = xxh64(std::as_bytes(std::span(&header, 1)));
  constexpr char kDigits[] = "0123456789abcdef";
  std::string digits;
  for (int shift = 60; shift >= 0; shift -= 4) digits += kDigits[name >> shift & 15];
  path_ = concat(folder, "/vulkan-pipelines-", digits, ".bin");
}

std::vector<std::byte> PipelineFile::load() const {
  if (path_.empty()) return {};
  const auto file = FileMap::open(path_);
  if (!file.ok()) return {};
  const std::span<const std::byte> bytes = file->bytes();
  if (bytes.size() < sizeof(Header) || bytes.size() > kLargest) return {};
  const std::span<const std::byte> data = bytes.subspan(sizeof(Header));
  const Header expected = header_for(device_, data);
  if (std::memcmp(bytes.data(), &expected, sizeof(expected)) != 0 || !belongs_to(device_, data)) return {};
  return {data.begin(), data.end()};
}

void PipelineFile::save(std::span<const std::byte> data) const {
  if (path_.empty() || data.size() > kLargest - sizeof(Header) || !belongs_to(device_, data)) return;
  const Header header = header_for(device_, data);
  std::string content(reinterpret_cast<const char*>(&header), sizeof(header));
  content.append(reinterpret_cast<const char*>(data.data()), data.size());
  (void)write_file_atomically(path_, content);
}

}  // namespace scrooge::backend::vulkan
