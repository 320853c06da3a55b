// SPDX-License-Identifier: Apache-2.0
// A power cut, made of what the shim noted of syncs (disk_shadow.h): POSIX promises what was synced, and nothing of
// the rest, of which some may be on the disk or none.
#pragma once

#include <random>
#include <string>

namespace scrooge::faults {

enum class Loss {
  kAll,     // names and bytes as they were last synced
  kBytes,   // names as they are, bytes as last synced; of a file never synced its size at most
  kSectors  // names as they are; of every 512 bytes either the last synced or the present ones
};
inline constexpr Loss kLosses[] = {Loss::kAll, Loss::kBytes, Loss::kSectors};

// Makes of `folder` what the cut leaves.
void cut_power(const std::string& folder, const std::string& shadow, Loss loss, std::mt19937_64& random);

}  // namespace scrooge::faults
