// SPDX-License-Identifier: Apache-2.0
// The weights of a model folder: model.safetensors, the shards of model.safetensors.index.json, or the one other
// *.safetensors file there is.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "src/base/result.h"
#include "src/checkpoint/model_folder.h"
#include "src/checkpoint/weight_source.h"

namespace scrooge::checkpoint {

// Appends to `warnings` what was left out. kNotFound with a remedy when the folder has no such file; kMissingShard,
// kMissingTensor, kBadCheckpoint, kUnsupported naming index, shard and tensor.
Result<std::unique_ptr<WeightSource>> open_safetensors(const ModelFolder& folder, std::vector<std::string>& warnings);

}  // namespace scrooge::checkpoint
