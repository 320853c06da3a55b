// SPDX-License-Identifier: Apache-2.0
// The tiny files that the C ABI is driven with, made once per process in a folder that is removed at its end.
#pragma once

#include <string>
#include <vector>

#include "tests/fuzz/fuzz_target.h"
#include "tests/support/model_file.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tiny_gguf.h"

namespace scrooge::fuzz {

struct CapiFiles {
  test::TempFolder folder;
  std::string checkpoint = folder / "model.gguf";
  std::string model = folder / "model.scrooge";
  std::string ids = folder / "ids.txt";
  std::string text = folder / "text.txt";
  std::string damaged = folder / "damaged.scrooge";
  std::string absent = folder / "absent/file";
  std::string output = folder / "output.scrooge";
  std::string calibration = folder / "output.calib";

  CapiFiles() {
    test::write_file(checkpoint, test::TinyGguf().finish());
    test::write_file(ids, "0 1 2 3 0 2 1 3 2 2 1 0 3 3 1 2 0 1 2 1");
    test::write_file(text, "ab ba abab aabb b a ab ab ba ba");
    require(container::write_sample(model, container::sample_info(), {12, 8}).ok(), "a sample is written");
    container::Bytes bytes = container::read_bytes(model);
    bytes[bytes.size() / 2] ^= std::byte{1};
    container::write_bytes(damaged, bytes);
  }
  const char* pick(uint8_t byte) const {
    const std::string* const all[] = {&checkpoint, &model,  &ids,         &text,         &damaged,
                                      &absent,     &output, &calibration, &folder.path()};
    const size_t choice = byte % (std::size(all) + 2);
    if (choice == std::size(all)) return nullptr;
    return choice > std::size(all) ? "" : all[choice]->c_str();
  }
};

inline const CapiFiles& capi_files() {
  static const CapiFiles files;
  return files;
}

}  // namespace scrooge::fuzz
