// SPDX-License-Identifier: Apache-2.0
#include "src/cli/depfile.h"

#include <filesystem>
#include <string_view>
#include <system_error>

namespace scrooge::cli {
namespace {

namespace fs = std::filesystem;

std::string escaped(std::string_view path) {
  std::string text;
  for (const char c : path) {
    if (c == ' ' || c == '#') text += '\\';
    if (c == '$') text += '$';
    text += c;
  }
  return text;
}

}  // namespace

Expected<std::vector<std::string>> inputs_of(const QuantizeArguments& job) {
  std::vector<std::string> inputs;
  std::error_code ignored;
  if (fs::is_directory(job.checkpoint, ignored)) {
    const Expected<Model> model = Model::open(job.output);
    if (!model) return model.error();
    for (uint64_t index = 0; index < model->source_count(); ++index) {
      const Expected<scrooge_source_info> source = model->source(index);
      if (!source) return source.error();
      inputs.push_back((fs::path(job.checkpoint) / source->name).string());
    }
    // Says which shards there are; no weights come from it, so it is none of the model's sources.
    const fs::path shards = fs::path(job.checkpoint) / "model.safetensors.index.json";
    if (fs::exists(shards, ignored)) inputs.push_back(shards.string());
  } else {
    inputs.push_back(job.checkpoint);
  }
  for (const std::string* file : {&job.calibration, &job.calibration_ids, &job.from_calibration}) {
    if (!file->empty()) inputs.push_back(*file);
  }
  return inputs;
}

std::string makefile_rule(const std::string& target, const std::vector<std::string>& inputs) {
  std::string rule = escaped(target) + ":";
  for (const std::string& input : inputs) rule += " \\\n  " + escaped(input);
  return rule + "\n";
}

}  // namespace scrooge::cli
