// SPDX-License-Identifier: Apache-2.0
#include "tests/hostile/scrooge_damage.h"

#include "tests/support/temp_folder.h"

namespace scrooge::hostile {

const Sample& small_sample() {
  static const Sample sample = [] {
    const test::TempFolder folder;
    const std::string path = folder / "sample.scrooge";
    Sample made;
    container::ModelInfo info = container::sample_info();
    info.tokens.held_out = 96;
    info.tokens.statistics = 904;
    info.blocks[0].scale_sets[0].damping = 0.1;
    info.blocks[0].linears[0].rounding = "gptq";
    if (!container::write_sample(path, info, {12, 8}).ok()) return made;
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
