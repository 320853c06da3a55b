// SPDX-License-Identifier: Apache-2.0
// A copy of a golden checkpoint that a test may damage: its tensors can be changed one by one before it is saved.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "src/base/file_map.h"
#include "src/base/json.h"
#include "src/pipeline/evaluate.h"
#include "src/pipeline/quantize_job.h"
#include "tests/support/safetensors_writer.h"
#include "tests/support/temp_folder.h"

namespace scrooge::pipeline {

struct StoredTensor {
  std::string name;
  std::string dtype;
  std::vector<int64_t> shape;
  std::string data;

  void set_u16(size_t element, uint16_t bits) { std::memcpy(data.data() + 2 * element, &bits, sizeof bits); }
};

inline const std::string kGolden = SCROOGE_SOURCE_DIR "/tests/golden/";
inline const std::string kText = kGolden + "tiny_text.txt";

class CheckpointCopy {
 public:
  // REQUIRES: `model` is a golden folder with one model.safetensors.
  CheckpointCopy(const std::string& model, const std::string& folder) : folder_(folder) {
    std::filesystem::copy(kGolden + model, folder);
    const std::string file = *read_small_file(folder + "/model.safetensors", 1 << 24);
    uint64_t header_size = 0;
    std::memcpy(&header_size, file.data(), sizeof header_size);
    const std::string_view header = std::string_view(file).substr(sizeof header_size, header_size);
    const std::string_view data = std::string_view(file).substr(sizeof header_size + header_size);
    const auto document = JsonDocument::parse(header, "header", StatusCode::kBadCheckpoint);
    const auto entries = *document->root().as_object();
    for (const auto& [name, entry] : entries) {
      if (name == "__metadata__") continue;
      StoredTensor tensor{std::string(name), std::string(*entry.get("dtype")->as_string()), {}, {}};
      const auto shape = *entry.get("shape")->as_array();
      for (const JsonValue& dimension : shape) tensor.shape.push_back(*dimension.as_int());
      const auto offsets = *entry.get("data_offsets")->as_array();
      const auto begin = static_cast<size_t>(*offsets[0].as_int());
      tensor.data = data.substr(begin, static_cast<size_t>(*offsets[1].as_int()) - begin);
      tensors_.push_back(std::move(tensor));
    }
  }

  const std::string& path() const { return folder_; }
  std::vector<StoredTensor>& tensors() { return tensors_; }
  StoredTensor& tensor(std::string_view name) {
    for (StoredTensor& tensor : tensors_) {
      if (tensor.name == name) return tensor;
    }
    ADD_FAILURE() << "no tensor " << name;
    return tensors_.front();
  }
  void remove(std::string_view name) {
    std::erase_if(tensors_, [&](const StoredTensor& tensor) { return tensor.name == name; });
  }
  void save() {
    test::SafetensorsWriter writer;
    for (const StoredTensor& tensor : tensors_) writer.add(tensor.name, tensor.dtype, tensor.shape, tensor.data);
    test::write_file(folder_ + "/model.safetensors", writer.finish());
  }

 private:
  std::string folder_;
  std::vector<StoredTensor> tensors_;
};

// A quick job on `checkpoint`.
inline QuantizeOptions quick_options(const std::string& checkpoint, const std::string& output) {
  QuantizeOptions options;
  options.checkpoint = checkpoint;
  options.output = output;
  options.calibration_text = kText;
  options.samples = 8;
  options.length = 64;
  options.spec.group = 32;
  options.threads = 2;
  return options;
}

inline Status run_job(QuantizeOptions options) {
  auto job = QuantizeJob::prepare(std::move(options));
  if (!job.ok()) return job.status();
  return (*job)->convert();
}

inline EvaluateOptions quick_evaluation(const std::string& model) {
  EvaluateOptions options;
  options.model = model;
  options.text = kText;
  options.context = 64;
  options.max_windows = 4;
  options.threads = 2;
  return options;
}

}  // namespace scrooge::pipeline
