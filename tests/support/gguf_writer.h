// SPDX-License-Identifier: Apache-2.0
// Small GGUF files for tests and fuzz corpora. Everything can be given wrong on purpose: counts, offsets, types.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/byte_writer.h"

namespace scrooge::test {

class GgufWriter {
 public:
  uint32_t version = 3;
  uint64_t alignment = 32;               // of the data; set_alignment() also records it as metadata
  std::optional<uint64_t> tensor_count;  // instead of the true one
  std::optional<uint64_t> value_count;

  // A value of any type from its raw bytes; `type` is the file's type number.
  GgufWriter& value(std::string_view key, uint32_t type, std::string_view payload) {
    string(values_, key);
    values_.put(type).raw(payload);
    ++values_written_;
    return *this;
  }
  GgufWriter& u32(std::string_view key, uint32_t number) { return value(key, 4, ByteWriter().put(number).bytes()); }
  GgufWriter& f32(std::string_view key, float number) { return value(key, 6, ByteWriter().put(number).bytes()); }
  GgufWriter& text(std::string_view key, std::string_view content) { return value(key, 8, string_bytes(content)); }
  GgufWriter& strings(std::string_view key, const std::vector<std::string>& contents) {
    ByteWriter payload;
    payload.put(uint32_t{8}).put(static_cast<uint64_t>(contents.size()));
    for (const std::string& content : contents) string(payload, content);
    return value(key, 9, payload.bytes());
  }
  // An array of scalars from its raw elements.
  GgufWriter& array(std::string_view key, uint32_t element, uint64_t count, std::string_view elements) {
    return value(key, 9, ByteWriter().put(element).put(count).raw(elements).bytes());
  }
  GgufWriter& set_alignment(uint32_t number) {
    alignment = number;
    return u32("general.alignment", number);
  }

  // `dimensions` innermost first, as in the file. `data` is placed at the next aligned offset unless `offset` is given.
  GgufWriter& tensor(std::string_view name, uint32_t type, const std::vector<uint64_t>& dimensions,
                     std::string_view data, std::optional<uint64_t> offset = {}) {
    data_.pad_to(alignment);
    string(tensors_, name);
    tensors_.put(static_cast<uint32_t>(dimensions.size()));
    for (const uint64_t dimension : dimensions) tensors_.put(dimension);
    tensors_.put(type).put(offset.value_or(data_.size()));
    data_.raw(data);
    ++tensors_written_;
    return *this;
  }

  // From the magic to the last tensor info.
  std::string header() const {
    ByteWriter out;
    out.raw("GGUF").put(version).put(tensor_count.value_or(tensors_written_));
    out.put(value_count.value_or(values_written_)).raw(values_.bytes()).raw(tensors_.bytes());
    return out.bytes();
  }
  std::string finish() const { return ByteWriter().raw(header()).pad_to(alignment).raw(data_.bytes()).bytes(); }

  static std::string string_bytes(std::string_view content) {
    ByteWriter out;
    string(out, content);
    return out.bytes();
  }

 private:
  static void string(ByteWriter& out, std::string_view content) {
    out.put(static_cast<uint64_t>(content.size())).raw(content);
  }

  ByteWriter values_;
  ByteWriter tensors_;
  ByteWriter data_;
  uint64_t values_written_ = 0;
  uint64_t tensors_written_ = 0;
};

}  // namespace scrooge::test
