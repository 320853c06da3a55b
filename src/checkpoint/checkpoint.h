// SPDX-License-Identifier: Apache-2.0
// Opens a checkpoint: a model folder with safetensors, or a GGUF file.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "src/base/file_map.h"
#include "src/base/result.h"
#include "src/checkpoint/gguf_header.h"
#include "src/checkpoint/weight_source.h"

namespace scrooge::checkpoint {

struct Checkpoint {
  // A file that was read whole when the checkpoint was opened.
  struct TextFile {
    std::string path;
    FileIdentity identity;
  };

  std::string path;  // as given
  std::unique_ptr<WeightSource> weights;
  std::string config_json;                 // raw text, not parsed here; empty for GGUF
  std::string tokenizer_json;              // raw text; empty when absent, and for GGUF
  std::string tokenizer_config_json;       // raw text; empty when absent, and for GGUF
  std::vector<TextFile> text_files;        // where the three came from; with weights->files(), all inputs there are
  std::shared_ptr<const GgufHeader> gguf;  // null unless GGUF
  std::vector<std::string> warnings;       // whole sentences for the user
};

// A folder is a model folder; anything else must begin with the GGUF magic, whatever it is called. Reads headers and
// the text files, no weights. kNotFound with a remedy: no such path, no config.json, no safetensors file.
// kInvalidArgument: a safetensors file instead of its folder. kBadCheckpoint, kMissingShard, kMissingTensor: damaged.
// kUnsupported: a tensor type, GGUF version, byte order or split GGUF that is not read. kBadConfig, kBadTokenizer: a
// text file far too large to be one.
Result<Checkpoint> open_checkpoint(const std::string& path);

}  // namespace scrooge::checkpoint
