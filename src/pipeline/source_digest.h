// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "src/container/model_metadata.h"
#include "src/pipeline/model_source.h"

namespace scrooge::pipeline {

// Base name, size and SHA-256 of every file of the source, in order.
Result<std::vector<container::Source>> digest_sources(const ModelSource& source);

}  // namespace scrooge::pipeline
