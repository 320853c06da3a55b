// SPDX-License-Identifier: Apache-2.0
#include "tests/hostile/saved_calibration_damage.h"

#include <cstdlib>

#include "tests/support/temp_folder.h"

namespace scrooge::hostile {

const pipeline::ModelSource& sample_model() {
  static const auto source = [] {
    auto opened = pipeline::ModelSource::open(SCROOGE_SOURCE_DIR "/tests/golden/tiny_llama", {});
    if (!opened.ok()) std::abort();
    return std::move(*opened);
  }();
  return *source;
}

const Sample& calibration_sample() {
  static const Sample sample = [] {
    const test::TempFolder folder;
    const std::string path = folder / "model.calib";
    Sample made;
    if (!pipeline::write_calibration_sample(path, sample_model()).ok()) return made;
    made.file = container::read_bytes(path);
    if (const auto reader = container::ModelReader::open(path); reader.ok()) {
      made.superblock = reader->superblock();
      made.metadata = reader->metadata();
    }
    return made;
  }();
  return sample;
}

}  // namespace scrooge::hostile
