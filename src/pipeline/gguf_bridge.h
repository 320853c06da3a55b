// SPDX-License-Identifier: Apache-2.0
// GGUF metadata in the terms of the rest: a config.json and a vocabulary.
#pragma once

#include <string>

#include "src/checkpoint/gguf_header.h"
#include "src/tokenizer/tokenizer.h"

namespace scrooge::pipeline {

// The Hugging Face style config that parse_model_config reads. kUnknownArchitecture, kBadConfig, kUnsupported name the
// key. The vocabulary is the number of rows of the embedding table; without an output tensor the head is tied.
Result<std::string> gguf_config_json(const checkpoint::GgufHeader& header);

// kMissingTokenizer when the file carries none.
Result<tokenizer::GgufVocabulary> gguf_vocabulary(const checkpoint::GgufHeader& header);

}  // namespace scrooge::pipeline
