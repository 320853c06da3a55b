// SPDX-License-Identifier: Apache-2.0
// The third open level: every XXH64 in the file, and zeros everywhere between.
#pragma once

#include <cstdint>
#include <functional>

#include "src/base/file_map.h"
#include "src/base/status.h"
#include "src/container/model_metadata.h"
#include "src/container/superblock.h"

namespace scrooge::container {

// Bytes done of bytes in all; return false to stop. Called on the calling thread, at least every 4 MiB.
using CheckProgress = std::function<bool(uint64_t done, uint64_t total)>;

// Reads the file through a small buffer rather than the map, so that a file cut short meanwhile is an error and memory
// stays flat. kChecksumMismatch naming the tensor and plane or the segment; kBadModelFile when padding is not zero;
// kCancelled. REQUIRES: check_metadata succeeded.
Status check_payload(const FileMap& file, const ModelMetadata& metadata, const Superblock& superblock,
                     const CheckProgress& progress = {});

}  // namespace scrooge::container
