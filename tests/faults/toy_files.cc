// SPDX-License-Identifier: Apache-2.0
#include "tests/faults/toy_files.h"

#include <cstdint>
#include <fstream>
#include <iterator>
#include <random>

#include "tests/support/tiny_gguf.h"

namespace scrooge::faults {

std::string read_whole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

void write_whole(const std::string& path, std::string_view content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc)
      .write(content.data(), static_cast<std::streamsize>(content.size()));
}

// Two blocks, wide enough for two groups of 8 in every linear.
std::string toy_model() {
  test::TinyGguf model;
  const auto number = [&](const char* key, uint32_t value) {
    model.values[key] = {4, test::ByteWriter().put(value).bytes()};
  };
  number("llama.block_count", 2);
  number("llama.embedding_length", 16);
  number("llama.feed_forward_length", 24);
  for (auto& [name, tensor] : model.tensors) {
    for (uint64_t& dimension : tensor.dimensions) dimension = dimension == 8 ? 16 : dimension;
    if (name.find("_norm") != std::string::npos || name == "token_embd.weight") continue;
    if (name.find("attn_k") != std::string::npos || name.find("attn_v") != std::string::npos)
      tensor.dimensions = {16, 8};
    if (name.find("ffn_down") != std::string::npos) tensor.dimensions = {24, 16};
    if (name.find("ffn_gate") != std::string::npos || name.find("ffn_up") != std::string::npos)
      tensor.dimensions = {16, 24};
  }
  const auto first = model.tensors;
  for (const auto& [name, tensor] : first) {
    if (name.rfind("blk.0.", 0) == 0) model.tensors["blk.1." + name.substr(6)] = tensor;
  }
  return model.finish();
}

std::string toy_text() {
  std::mt19937 random(7);
  std::string text;
  for (size_t i = 0; i < 2000; ++i) text += random() % 3 == 0 ? 'b' : 'a';
  return text;
}

}  // namespace scrooge::faults
