// SPDX-License-Identifier: Apache-2.0
// Small safetensors files for tests and fuzz corpora: well-formed ones from tensors, any other from raw header text.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/base/json.h"
#include "src/base/text.h"
#include "tests/support/byte_writer.h"

namespace scrooge::test {

// Header text and data as they are, with the header's length in front.
inline std::string safetensors_file(std::string_view header, std::string_view data) {
  return ByteWriter().put(static_cast<uint64_t>(header.size())).raw(header).raw(data).bytes();
}

class SafetensorsWriter {
 public:
  // `data` is the tensor's bytes as stored; tensors follow one another in the order they are added.
  SafetensorsWriter& add(std::string_view name, std::string_view dtype, std::span<const int64_t> shape,
                         std::string_view data) {
    header_.key(name).begin_object().field("dtype", dtype).key("shape").begin_array();
    for (const int64_t dimension : shape) header_.value(dimension);
    header_.end_array().key("data_offsets").begin_array().value(static_cast<uint64_t>(data_.size()));
    data_.append(data);
    header_.value(static_cast<uint64_t>(data_.size())).end_array().end_object();
    return *this;
  }
  SafetensorsWriter& add_f32(std::string_view name, const std::vector<int64_t>& shape, std::span<const float> values) {
    return add(name, "F32", shape, f32_bytes(values));
  }

  // `padding` spaces after the header, as writers add them to align the data.
  std::string finish(size_t padding = 0) {
    header_.end_object();
    return safetensors_file(header_.text() + std::string(padding, ' '), data_);
  }

 private:
  JsonWriter header_ = std::move(JsonWriter().begin_object());
  std::string data_;
};

// {"metadata": {}, "weight_map": {...}} from tensor and shard names.
inline std::string shard_index(const std::vector<std::pair<std::string, std::string>>& entries) {
  JsonWriter json;
  json.begin_object().key("metadata").begin_object().end_object().key("weight_map").begin_object();
  for (const auto& [tensor, shard] : entries) json.field(tensor, std::string_view(shard));
  return json.end_object().end_object().text();
}

}  // namespace scrooge::test
