// SPDX-License-Identifier: Apache-2.0
// A small job on a golden model, in a folder of its own.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "src/base/file_map.h"
#include "src/pipeline/quantize_job.h"
#include "tests/support/temp_folder.h"

namespace scrooge::pipeline {

class JobTest : public testing::Test {
 protected:
  static std::string golden(const std::string& name) { return SCROOGE_SOURCE_DIR "/tests/golden/" + name; }
  std::string path(const std::string& name) const { return folder_.path() + "/" + name; }
  static std::string bytes(const std::string& file) {
    auto read = read_small_file(file, 1 << 24);
    EXPECT_TRUE(read.ok()) << read.status().message();
    return read.ok() ? *std::move(read) : std::string();
  }

  QuantizeOptions options(const std::string& model, const std::string& output) const {
    QuantizeOptions o;
    o.checkpoint = golden(model);
    o.output = path(output);
    o.calibration_text = golden("tiny_text.txt");
    o.samples = 16;
    o.length = 64;
    o.spec.group = 32;
    o.threads = 2;
    return o;
  }

  test::TempFolder folder_;
};

}  // namespace scrooge::pipeline
