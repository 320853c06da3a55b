// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <vector>

#include "src/container/model_metadata.h"
#include "src/pipeline/model_source.h"

namespace scrooge::pipeline {

// Base name, size and SHA-256 of every file of the source, in order. `tick` is called every megabyte; its error
// ends the work. kSourceChanged when a file is no longer what it was when the source was opened, or changes meanwhile.
Result<std::vector<container::Source>> digest_sources(const ModelSource& source, const std::function<Status()>& tick);

}  // namespace scrooge::pipeline
