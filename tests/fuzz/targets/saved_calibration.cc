// SPDX-License-Identifier: Apache-2.0
// Calibration results, as they are and with the checksums of superblock and index put right, read as the results
// of a golden model.
#include "src/pipeline/saved_calibration.h"

#include <cmath>

#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/sealed_file.h"
#include "tests/support/calibration_sample.h"
#include "tests/support/temp_folder.h"

namespace scrooge::fuzz {
namespace {

using pipeline::SavedBlock;
using pipeline::SavedCalibration;

const pipeline::ModelSource& model() {
  static const auto source = [] {
    auto opened = pipeline::ModelSource::open(SCROOGE_SOURCE_DIR "/tests/golden/tiny_llama", {});
    require(opened.ok(), "a golden model opens");
    return std::move(*opened);
  }();
  return *source;
}

void read(std::string_view input) {
  const auto saved = SavedCalibration::open(memory_file(input));
  if (!saved.ok()) {
    require(saved.status().message().find("input") != std::string_view::npos, "an error names the file");
    return;
  }
  require(saved->digest([] { return Status(); }).ok(), "a file that opens has a digest");
  const auto blocks = pipeline::read_all_blocks(*saved, model());
  if (!blocks.ok()) return;
  for (const SavedBlock& block : *blocks) {
    require(block.stages.size() == model().block_plan().stages.size(), "every stage is there");
    for (size_t s = 0; s < block.stages.size(); ++s) {
      const SavedBlock::Stage& stage = block.stages[s];
      require(stage.scale.size() == static_cast<size_t>(model().block_plan().stages[s].input), "a scale is as wide");
      require(stage.scale.size() == stage.mean.size(), "as the means");
      for (const float scale : stage.scale) require(scale > 0 && std::isfinite(scale), "a scale can be divided by");
      for (const SavedBlock::Linear& linear : stage.linears) {
        for (const uint8_t index : linear.clip_index) {
          require(index == 0 || index < linear.clip_ratios.size(), "an index has its candidate");
        }
      }
    }
  }
}

}  // namespace

const InputKind kInputKind = InputKind::kBinary;

std::vector<std::string> seeds() {
  const test::TempFolder folder;
  const std::string path = folder / "m.calib";
  require(pipeline::write_calibration_sample(path, model()).ok(), "a sample is written");
  const container::Bytes bytes = container::read_bytes(path);
  return {std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size())};
}

void run(std::string_view input) {
  read(input);
  read(sealed_file(input));
}

}  // namespace scrooge::fuzz
