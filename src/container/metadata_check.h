// SPDX-License-Identifier: Apache-2.0
// What must hold of an index beyond being well-formed: the semantic checks of schema/README.md, "What a reader checks".
// The writer runs the same checks on what it is about to publish.
#pragma once

#include <string>
#include <vector>

#include "src/base/status.h"
#include "src/container/model_metadata.h"
#include "src/container/superblock.h"

namespace scrooge::container {

// Versions and features, texts, unique names, segments and planes: kinds, sizes from shapes, alignment, bounds, no
// overlap, zero tails, file size. O(n log n). kBadModelFile naming the segment, tensor or plane; kUnsupportedVersion
// for required features this version does not know. `path` is for messages.
Status check_metadata(const ModelMetadata& metadata, const Superblock& superblock, const std::string& path);

// The part of check_metadata that needs no offsets: what a caller supplies.
Status check_info(const ModelInfo& info, const std::string& path);

// A stretch of the file that means something; everything between the used ranges is zero.
struct UsedRange {
  uint64_t offset = 0;
  uint64_t size = 0;
};

// Superblock, planes, raw segments and index, by offset. REQUIRES: check_metadata succeeded.
std::vector<UsedRange> used_ranges(const ModelMetadata& metadata, const Superblock& superblock);

}  // namespace scrooge::container
