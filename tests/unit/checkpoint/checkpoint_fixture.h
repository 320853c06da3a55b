// SPDX-License-Identifier: Apache-2.0
// Model folders in a temporary place, and what opening them gives.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <numeric>
#include <string>
#include <vector>

#include "src/checkpoint/checkpoint.h"
#include "tests/support/gguf_writer.h"
#include "tests/support/safetensors_writer.h"
#include "tests/support/temp_folder.h"

namespace scrooge::checkpoint {

inline std::vector<float> counting(size_t count, float first = 0) {
  std::vector<float> values(count);
  std::iota(values.begin(), values.end(), first);
  return values;
}

inline std::vector<float> read_all(const WeightSource& weights, std::string_view name) {
  const TensorInfo* tensor = weights.find(name);
  if (tensor == nullptr) {
    ADD_FAILURE() << name << " is missing";
    return {};
  }
  std::vector<float> out(static_cast<size_t>(tensor->rows() * tensor->cols()));
  const Status status = weights.read_rows(*tensor, 0, tensor->rows(), out);
  EXPECT_TRUE(status.ok()) << status.message();
  return out;
}

// A model folder with a config and nothing else.
class ModelFolderTest : public testing::Test {
 protected:
  ModelFolderTest() : root_(folder_.path()) { write("config.json", "{}"); }

  void write(std::string_view name, std::string_view content) { test::write_file(file(name), content); }
  std::string file(std::string_view name) const { return concat(root_, "/", name); }
  // An [rows, 2] tensor of counting values as a whole safetensors file.
  static std::string shard(std::string_view tensor, float first = 0) {
    return test::SafetensorsWriter().add_f32(tensor, {2, 2}, counting(4, first)).finish();
  }
  void link(const std::string& target, std::string_view name) { std::filesystem::create_symlink(target, file(name)); }
  Result<Checkpoint> open() const { return open_checkpoint(root_); }
  void expect_error(StatusCode code, std::initializer_list<std::string_view> mentions) const {
    const auto opened = open();
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.status().code(), code) << opened.status().message();
    for (const std::string_view part : mentions) {
      EXPECT_NE(opened.status().message().find(part), std::string_view::npos)
          << "no \"" << part << "\" in: " << opened.status().message();
    }
  }

  test::TempFolder folder_;
  std::string root_;
};

}  // namespace scrooge::checkpoint
