// SPDX-License-Identifier: Apache-2.0
// ModelMetadata to and from the FlatBuffers index. FlatBuffers types stay inside the two source files.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "src/base/result.h"
#include "src/container/model_metadata.h"

namespace scrooge::container {

// Deterministic: equal structs give equal bytes, and the size depends only on the lengths of texts and lists.
// kInvalidArgument when the index would be above kMaxMetadataBytes.
Result<std::vector<std::byte>> encode_metadata(const ModelMetadata& metadata);

// Runs the FlatBuffers verifier with limits tied to the size of the buffer, then copies out; memory stays within a
// small multiple of the buffer even when tables are shared. Enum values and everything else that has a meaning are
// checked by check_metadata, not here, except what the structs cannot hold. kBadModelFile, or kUnsupportedVersion for a
// layout this version does not know. `path` is for messages. REQUIRES: bytes.data() is aligned to 8.
Result<ModelMetadata> decode_metadata(std::span<const std::byte> bytes, const std::string& path);

}  // namespace scrooge::container
