// SPDX-License-Identifier: Apache-2.0
// The single pass over a GGUF header; internal to this folder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.h"
#include "src/checkpoint/gguf_header.h"

namespace scrooge::checkpoint {

std::string_view gguf_type_name(GgufType type);
// Bytes of a scalar of this type; 0 for strings and arrays.
uint64_t gguf_scalar_size(GgufType type);

// Fills a header from the first bytes of a file. Nothing is allocated from a count in the file: lists grow as their
// elements are read.
class GgufParser {
 public:
  // `bytes` may be only the beginning of a file of `file_size` bytes.
  GgufParser(std::vector<std::byte> bytes, uint64_t file_size, std::string name);

  Status run();
  // After a failure: the bytes at hand ended before a header that may still fit into the file.
  bool needs_more() const { return needs_more_; }
  // REQUIRES: run() returned ok.
  GgufHeader take() { return std::move(header_); }

 private:
  Status read_preamble(uint64_t& tensors, uint64_t& values);
  Status read_value(GgufValue& value);
  Status read_payload(GgufType type, int depth);
  Status read_array(int depth, GgufType& element, uint64_t& length);
  Status read_tensor(GgufTensor& tensor);
  Status check_names();
  Status read_alignment();

  // Moves past `length` bytes, returning where they begin.
  Status take(uint64_t length, const std::byte*& begin);
  template <typename T>
  Status read(T& value);
  Status read_string(std::string_view& text);
  Status read_type(GgufType& type);
  Status check_count(uint64_t count, uint64_t smallest_element, std::string_view what) const;
  // An error about the item being read.
  template <typename... Parts>
  Status fail(const Parts&... what) const;

  GgufHeader header_;
  uint64_t file_size_;
  uint64_t position_ = 0;
  bool needs_more_ = false;
  std::string item_;  // "key llama.block_count", for messages
};

}  // namespace scrooge::checkpoint
