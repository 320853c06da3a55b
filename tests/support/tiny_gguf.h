// SPDX-License-Identifier: Apache-2.0
// A whole Llama of one block in a few kilobytes of GGUF: every key and tensor can be changed or left out by name.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/gguf_writer.h"

namespace scrooge::test {

class TinyGguf {
 public:
  struct Value {
    uint32_t type;  // the file's number
    std::string payload;
  };
  struct Tensor {
    std::vector<uint64_t> dimensions;  // innermost first
    bool zeros = false;                // instead of small numbers that differ
  };
  std::map<std::string, Value> values;
  std::map<std::string, Tensor> tensors;  // f32

  TinyGguf() {
    const auto u32 = [this](const char* key, uint32_t number) { values[key] = {4, ByteWriter().put(number).bytes()}; };
    values["general.architecture"] = {8, GgufWriter::string_bytes("llama")};
    u32("llama.block_count", 1);
    u32("llama.embedding_length", 8);
    u32("llama.attention.head_count", 2);
    u32("llama.attention.head_count_kv", 1);
    u32("llama.feed_forward_length", 8);
    u32("llama.context_length", 64);
    values["llama.attention.layer_norm_rms_epsilon"] = {6, ByteWriter().put(1e-5f).bytes()};
    values["llama.rope.freq_base"] = {6, ByteWriter().put(10000.0f).bytes()};
    values["tokenizer.ggml.model"] = {8, GgufWriter::string_bytes("gpt2")};
    values["tokenizer.ggml.pre"] = {8, GgufWriter::string_bytes("gpt-2")};
    values["tokenizer.ggml.tokens"] = strings({"a", "b", "ab", "<s>"});
    values["tokenizer.ggml.token_type"] = i32s({1, 1, 1, 3});
    values["tokenizer.ggml.merges"] = strings({"a b"});
    u32("tokenizer.ggml.bos_token_id", 3);
    tensors["token_embd.weight"].dimensions = {8, 4};
    tensors["output_norm.weight"].dimensions = {8};
    tensors["blk.0.attn_norm.weight"].dimensions = {8};
    tensors["blk.0.ffn_norm.weight"].dimensions = {8};
    tensors["blk.0.attn_q.weight"].dimensions = {8, 8};
    tensors["blk.0.attn_k.weight"].dimensions = {8, 4};
    tensors["blk.0.attn_v.weight"].dimensions = {8, 4};
    tensors["blk.0.attn_output.weight"].dimensions = {8, 8};
    tensors["blk.0.ffn_gate.weight"].dimensions = {8, 8};
    tensors["blk.0.ffn_up.weight"].dimensions = {8, 8};
    tensors["blk.0.ffn_down.weight"].dimensions = {8, 8};
  }

  static Value strings(const std::vector<std::string>& contents) {
    ByteWriter payload;
    payload.put(uint32_t{8}).put(static_cast<uint64_t>(contents.size()));
    for (const std::string& content : contents) payload.raw(GgufWriter::string_bytes(content));
    return {9, payload.bytes()};
  }
  static Value i32s(const std::vector<int32_t>& numbers) {
    ByteWriter payload;
    payload.put(uint32_t{5}).put(static_cast<uint64_t>(numbers.size()));
    for (const int32_t number : numbers) payload.put(number);
    return {9, payload.bytes()};
  }

  std::string finish() const {
    GgufWriter writer;
    for (const auto& [key, value] : values) writer.value(key, value.type, value.payload);
    for (const auto& [name, tensor] : tensors) {
      uint64_t count = 1;
      for (const uint64_t dimension : tensor.dimensions) count *= dimension;
      ByteWriter data;
      for (uint64_t i = 0; i < count; ++i) {
        data.put(tensor.zeros ? 0.0f : static_cast<float>(static_cast<int>((i * 7 + name.size()) % 13) - 6) / 16.0f);
      }
      writer.tensor(name, 0, tensor.dimensions, data.bytes());
    }
    return writer.finish();
  }
};

}  // namespace scrooge::test
