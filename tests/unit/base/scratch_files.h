// SPDX-License-Identifier: Apache-2.0
// Fixture of the file tests: a folder of its own, and whole files in and out of it by plain streams.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

#include "tests/support/temp_folder.h"

namespace scrooge {

class ScratchFiles : public testing::Test {
 protected:
  const std::string& folder() const { return folder_.path(); }
  std::string path(std::string_view name) const { return folder_ / name; }
  int64_t entries() const {
    return std::distance(std::filesystem::directory_iterator(folder()), std::filesystem::directory_iterator());
  }
  static void put(const std::string& path, const std::string& content) { std::ofstream(path) << content; }
  static std::string get(const std::string& path) {
    std::ostringstream out;
    out << std::ifstream(path).rdbuf();
    return out.str();
  }

 private:
  test::TempFolder folder_;
};

}  // namespace scrooge
