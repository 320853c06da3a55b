// SPDX-License-Identifier: Apache-2.0
// Declares modes of arithmetic in a SPIR-V module: a capability, the extension and an execution mode each, put where
// the order of a module's sections wants them (SPIR-V specification, 2.4).
#include <cstring>

#include "backends/vulkan/kernel.h"

namespace scrooge::backend::vulkan {
namespace {

constexpr uint32_t kHeaderWords = 5;
constexpr uint32_t kExtension = 10, kEntryPoint = 15, kExecutionMode = 16, kCapability = 17, kExtInstImport = 11;
constexpr uint32_t kMemoryModel = 14;
struct Mode {
  uint32_t capability, mode;
};
constexpr Mode kDenormPreserve{4464, 4459}, kNonFinitePreserve{4466, 4461}, kRoundToEven{4467, 4462};

constexpr uint32_t head(uint32_t opcode, size_t words) { return static_cast<uint32_t>(words) << 16 | opcode; }

}  // namespace

std::vector<uint32_t> with_float_modes(std::span<const uint32_t> words, const PhysicalDevice& device) {
  std::vector<Mode> modes;
  if (device.float_controls && device.round_to_even) modes.push_back(kRoundToEven);
  if (device.float_controls && device.keep_denormals) modes.push_back(kDenormPreserve);
  if (device.float_controls && device.keep_non_finite) modes.push_back(kNonFinitePreserve);
  if (modes.empty()) return {words.begin(), words.end()};

  constexpr char kName[] = "SPV_KHR_float_controls";
  std::vector<uint32_t> result(words.begin(), words.begin() + kHeaderWords);
  uint32_t entry_point = 0;
  bool capabilities = true, extensions = true, entry_points = true;
  for (size_t at = kHeaderWords; at < words.size(); at += words[at] >> 16) {
    const uint32_t opcode = words[at] & 0xffffu;
    if (capabilities && opcode != kCapability) {
      capabilities = false;
      for (const Mode& mode : modes) result.insert(result.end(), {head(kCapability, 2), mode.capability});
    }
    if (extensions && opcode != kCapability && opcode != kExtension) {
      extensions = false;
      std::vector<uint32_t> name(sizeof(kName) / 4 + 1);
      std::memcpy(name.data(), kName, sizeof(kName));
      result.push_back(head(kExtension, name.size() + 1));
      result.insert(result.end(), name.begin(), name.end());
    }
    if (opcode == kEntryPoint) entry_point = words[at + 2];
    const bool before_modes = opcode == kCapability || opcode == kExtension || opcode == kExtInstImport ||
                              opcode == kMemoryModel || opcode == kEntryPoint;
    if (entry_points && !before_modes) {
      entry_points = false;
      for (const Mode& mode : modes) {
        result.insert(result.end(), {head(kExecutionMode, 4), entry_point, mode.mode, 32});
      }
    }
    result.insert(result.end(), words.begin() + static_cast<ptrdiff_t>(at),
                  words.begin() + static_cast<ptrdiff_t>(at + (words[at] >> 16)));
  }
  return result;
}

}  // namespace scrooge::backend::vulkan
