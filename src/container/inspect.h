// SPDX-License-Identifier: Apache-2.0
// A file's index for people and for scripts.
#pragma once

#include <string>

#include "src/container/model_reader.h"

namespace scrooge::container {

// One JSON object: file, format, tag, method, scheme, sizes, bits per weight, attributes, sources, tokens, segments,
// tensors with their planes, blocks. Field names are stable; digests and feature bits are hexadecimal strings, other
// numbers are numbers. REQUIRES: opened at kStructure or above.
std::string inspect_json(const ModelReader& reader);

// The same in lines for a terminal, ASCII only whatever the file holds; every line ends in a newline.
std::string inspect_text(const ModelReader& reader);

}  // namespace scrooge::container
