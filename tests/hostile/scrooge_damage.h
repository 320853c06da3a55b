// SPDX-License-Identifier: Apache-2.0
// One small .scrooge file in memory, to be damaged.
#pragma once

#include "tests/support/model_file.h"

namespace scrooge::hostile {

struct Sample {
  container::Bytes file;
  container::Superblock superblock;
  container::ModelMetadata metadata;
};

// The same for the whole program; 4 KiB segments, so that every bit of it can be tried.
const Sample& small_sample();

}  // namespace scrooge::hostile
