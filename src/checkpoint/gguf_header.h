// SPDX-License-Identifier: Apache-2.0
// The header of a GGUF file (version 2 or 3, little-endian): metadata and the table of tensors, without the data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/file_map.h"
#include "src/base/result.h"

namespace scrooge::checkpoint {

enum class GgufType : uint32_t {
  kU8 = 0,
  kI8 = 1,
  kU16 = 2,
  kI16 = 3,
  kU32 = 4,
  kI32 = 5,
  kF32 = 6,
  kBool = 7,
  kString = 8,
  kArray = 9,
  kU64 = 10,
  kI64 = 11,
  kF64 = 12,
};

class GgufHeader;
class GgufParser;

// One metadata value; valid while its header lives where it is. Cheap to copy. Errors are kBadConfig naming file and
// key, unless the call says otherwise.
class GgufValue {
 public:
  GgufType type() const { return type_; }
  std::string_view key() const { return key_; }

  Result<uint64_t> as_u64() const;  // any integer type, not negative
  Result<int64_t> as_i64() const;   // any integer type that fits
  Result<uint64_t> as_u64_in(uint64_t low, uint64_t high) const;
  Result<double> as_f64() const;  // any integer or floating point type, finite
  Result<bool> as_bool() const;
  Result<std::string_view> as_string() const;  // bytes as stored, not checked to be UTF-8

  bool is_array() const { return type_ == GgufType::kArray; }
  // 0 and kArray when this is not an array.
  uint64_t array_length() const { return array_length_; }
  GgufType array_type() const { return array_type_; }
  Result<std::vector<std::string_view>> as_strings() const;
  Result<std::vector<int64_t>> as_ints() const;  // elements of any integer type
  Result<std::vector<float>> as_floats() const;  // elements f32 or f64

  // "model.gguf: llama.block_count", and an error about it.
  std::string where() const;
  Status fail(std::string_view what, StatusCode code = StatusCode::kBadConfig) const;

 private:
  friend class GgufHeader;
  friend class GgufParser;
  const std::string* name_ = nullptr;
  std::string_view key_;
  GgufType type_ = GgufType::kU8;
  GgufType array_type_ = GgufType::kArray;
  uint64_t array_length_ = 0;
  std::span<const std::byte> payload_;  // scalar bytes, string bytes, or array elements
};

struct GgufTensor {
  std::string_view name;
  uint32_t type = 0;           // the file's type number
  std::vector<int64_t> shape;  // outermost first (the file has it innermost first); every dimension positive
  uint64_t offset = 0;         // from the start of the data
};

// Owns a copy of the header's bytes; names and strings point into it. Movable, immutable, safe from several threads.
class GgufHeader {
 public:
  // `bytes` begins with a header; what follows it is ignored and tensor data need not be there (gguf_tensors.h checks
  // that). `name` is for messages. kBadCheckpoint: malformed, truncated, duplicate key or tensor; kUnsupported:
  // version 1 or above 3, big-endian.
  static Result<GgufHeader> parse(std::span<const std::byte> bytes, std::string name);
  // The same from a file, through pread, reading no more than the header needs.
  static Result<GgufHeader> read(const FileMap& file);

  GgufHeader(GgufHeader&&) noexcept = default;
  GgufHeader& operator=(GgufHeader&&) = delete;

  const std::string& name() const { return *name_; }
  uint32_t version() const { return version_; }
  // general.alignment, or 32.
  uint64_t alignment() const { return alignment_; }
  // Offset of the data in the file: the end of the header, aligned.
  uint64_t data_offset() const { return data_offset_; }
  // From the magic to the last tensor info: parse() of these bytes gives the same header.
  std::span<const std::byte> header_bytes() const { return bytes_; }
  const std::vector<GgufTensor>& tensors() const { return tensors_; }  // in file order

  // Nothing when the key is absent. O(log n).
  std::optional<GgufValue> find(std::string_view key) const;
  // kBadConfig naming the key when absent.
  Result<GgufValue> get(std::string_view key) const;
  Result<uint64_t> get_u64(std::string_view key) const;
  Result<double> get_f64(std::string_view key) const;
  Result<bool> get_bool(std::string_view key) const;
  Result<std::string_view> get_string(std::string_view key) const;
  // All keys, sorted by key.
  const std::vector<GgufValue>& values() const { return values_; }

 private:
  friend class GgufParser;
  GgufHeader() = default;

  std::unique_ptr<const std::string> name_;  // its address is shared with the values
  std::vector<std::byte> bytes_;
  uint32_t version_ = 0;
  uint64_t alignment_ = 0;
  uint64_t data_offset_ = 0;
  std::vector<GgufValue> values_;
  std::vector<GgufTensor> tensors_;
};

}  // namespace scrooge::checkpoint
