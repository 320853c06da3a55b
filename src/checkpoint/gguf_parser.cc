// SPDX-License-Identifier: Apache-2.0
#include "src/checkpoint/gguf_parser.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "src/base/checked_size.h"
#include "src/checkpoint/load.h"
#include "src/checkpoint/safetensors_header.h"
#include "src/checkpoint/weight_source.h"

namespace scrooge::checkpoint {
namespace {

constexpr uint64_t kSmallestValue = 8 + 1 + 4 + 1;           // key length, key, type, one byte
constexpr uint64_t kSmallestTensor = 8 + 1 + 4 + 8 + 4 + 8;  // name length, name, rank, one dimension, type, offset
constexpr uint64_t kMaxEntries = 1'000'000;
constexpr uint32_t kMaxGgufRank = 4;
constexpr int kMaxArrayDepth = 4;
constexpr uint64_t kDefaultAlignment = 32;
constexpr uint64_t kMaxAlignment = 1 << 30;

}  // namespace

std::string_view gguf_type_name(GgufType type) {
  static constexpr std::string_view kNames[] = {"u8",   "i8",     "u16",   "i16", "u32", "i32", "f32",
                                                "bool", "string", "array", "u64", "i64", "f64"};
  const auto index = static_cast<size_t>(type);
  return index < std::size(kNames) ? kNames[index] : "unknown";
}

uint64_t gguf_scalar_size(GgufType type) {
  switch (type) {
    case GgufType::kU8:
    case GgufType::kI8:
    case GgufType::kBool: return 1;
    case GgufType::kU16:
    case GgufType::kI16: return 2;
    case GgufType::kU32:
    case GgufType::kI32:
    case GgufType::kF32: return 4;
    case GgufType::kU64:
    case GgufType::kI64:
    case GgufType::kF64: return 8;
    case GgufType::kString:
    case GgufType::kArray: return 0;
  }
  return 0;
}

GgufParser::GgufParser(std::vector<std::byte> bytes, uint64_t file_size, std::string name) : file_size_(file_size) {
  header_.bytes_ = std::move(bytes);
  header_.name_ = std::make_unique<const std::string>(std::move(name));
}

template <typename... Parts>
Status GgufParser::fail(const Parts&... what) const {
  return error(StatusCode::kBadCheckpoint, *header_.name_, ": ", item_, " at offset ", position_, ": ", what...,
               "; download the file again");
}

Status GgufParser::take(uint64_t length, const std::byte*& begin) {
  const CheckedSize at = position_;
  if (!at.range_fits(length, file_size_)) return fail("needs ", length, " bytes, but the file ends");
  if (!at.range_fits(length, header_.bytes_.size())) {
    needs_more_ = true;
    return fail("the header is longer than what was read");
  }
  begin = header_.bytes_.data() + position_;
  position_ += length;
  return {};
}

template <typename T>
Status GgufParser::read(T& value) {
  const std::byte* begin = nullptr;
  SCROOGE_RETURN_IF_ERROR(take(sizeof value, begin));
  value = load_le<T>(begin);
  return {};
}

Status GgufParser::read_string(std::string_view& text) {
  uint64_t length = 0;
  SCROOGE_RETURN_IF_ERROR(read(length));
  const std::byte* begin = nullptr;
  SCROOGE_RETURN_IF_ERROR(take(length, begin));
  text = {reinterpret_cast<const char*>(begin), static_cast<size_t>(length)};  // inside the file, so inside memory
  return {};
}

Status GgufParser::read_type(GgufType& type) {
  uint32_t number = 0;
  SCROOGE_RETURN_IF_ERROR(read(number));
  if (number > static_cast<uint32_t>(GgufType::kF64)) return fail("unknown value type ", number);
  type = static_cast<GgufType>(number);
  return {};
}

// A count is believed only as far as the rest of the file could hold that many elements.
Status GgufParser::check_count(uint64_t count, uint64_t smallest_element, std::string_view what) const {
  if (!CheckedSize(position_).range_fits(CheckedSize(count) * CheckedSize(smallest_element), file_size_)) {
    return fail(count, " ", what, " do not fit into the file");
  }
  return {};
}

Status GgufParser::run() {
  uint64_t tensors = 0;
  uint64_t values = 0;
  item_ = "preamble";
  SCROOGE_RETURN_IF_ERROR(read_preamble(tensors, values));
  for (uint64_t i = 0; i < values; ++i) {
    item_ = concat("metadata value ", i);
    SCROOGE_RETURN_IF_ERROR(read_value(header_.values_.emplace_back()));
  }
  for (uint64_t i = 0; i < tensors; ++i) {
    item_ = concat("tensor ", i);
    SCROOGE_RETURN_IF_ERROR(read_tensor(header_.tensors_.emplace_back()));
  }
  SCROOGE_RETURN_IF_ERROR(check_names());
  header_.bytes_.resize(position_);  // shrinking keeps the address, and with it every view
  return read_alignment();
}

Status GgufParser::read_preamble(uint64_t& tensors, uint64_t& values) {
  const std::byte* magic = nullptr;
  SCROOGE_RETURN_IF_ERROR(take(4, magic));
  if (std::string_view(reinterpret_cast<const char*>(magic), 4) != "GGUF") return fail("the magic is not \"GGUF\"");
  SCROOGE_RETURN_IF_ERROR(read(header_.version_));
  const uint32_t version = header_.version_;
  // A big-endian file has no mark of its own: its small version number shows in the upper bytes.
  if (version != 0 && (version & 0xffffu) == 0) {
    return error(StatusCode::kUnsupported, *header_.name_,
                 ": a big-endian GGUF file; convert it to little-endian or use the original checkpoint");
  }
  if (version == 0) return fail("version 0");
  if (version == 1 || version > 3) {
    return error(StatusCode::kUnsupported, *header_.name_, ": GGUF version ", version,
                 "; versions 2 and 3 are read, convert the file to one of them");
  }
  SCROOGE_RETURN_IF_ERROR(read(tensors));
  SCROOGE_RETURN_IF_ERROR(read(values));
  SCROOGE_RETURN_IF_ERROR(check_count(tensors, kSmallestTensor, "tensors"));
  SCROOGE_RETURN_IF_ERROR(check_count(values, kSmallestValue, "metadata values"));
  if (tensors > kMaxEntries) return fail(tensors, " tensors, above the limit of ", kMaxEntries);
  if (values > kMaxEntries) return fail(values, " metadata values, above the limit of ", kMaxEntries);
  return {};
}

Status GgufParser::read_value(GgufValue& value) {
  SCROOGE_RETURN_IF_ERROR(read_string(value.key_));
  if (value.key_.empty()) return fail("the key is empty");
  if (value.key_.size() > kMaxTensorName) return fail("the key is longer than 64 KiB");
  value.name_ = header_.name_.get();
  item_ = concat("key ", printable(value.key_));
  SCROOGE_RETURN_IF_ERROR(read_type(value.type_));
  uint64_t begin = position_;
  if (value.type_ == GgufType::kArray) {
    SCROOGE_RETURN_IF_ERROR(read_array(0, value.array_type_, value.array_length_));
    begin += 4 + 8;
  } else {
    SCROOGE_RETURN_IF_ERROR(read_payload(value.type_, 0));
    if (value.type_ == GgufType::kString) begin += 8;
  }
  value.payload_ = std::span(header_.bytes_).subspan(begin, position_ - begin);
  return {};
}

Status GgufParser::read_payload(GgufType type, int depth) {
  if (type == GgufType::kString) {
    std::string_view text;
    return read_string(text);
  }
  if (type == GgufType::kArray) {
    GgufType element = GgufType::kU8;
    uint64_t length = 0;
    return read_array(depth, element, length);
  }
  const std::byte* begin = nullptr;
  SCROOGE_RETURN_IF_ERROR(take(gguf_scalar_size(type), begin));
  if (type == GgufType::kBool && load_u8(begin) > 1) return fail("a bool is ", load_u8(begin), ", not 0 or 1");
  return {};
}

Status GgufParser::read_array(int depth, GgufType& element, uint64_t& length) {
  if (depth >= kMaxArrayDepth) return fail("arrays are nested deeper than ", kMaxArrayDepth);
  SCROOGE_RETURN_IF_ERROR(read_type(element));
  SCROOGE_RETURN_IF_ERROR(read(length));
  const uint64_t scalar = gguf_scalar_size(element);
  const uint64_t smallest = scalar != 0 ? scalar : element == GgufType::kString ? 8 : 12;
  SCROOGE_RETURN_IF_ERROR(check_count(length, smallest, "array elements"));
  if (scalar != 0 && element != GgufType::kBool) {
    const std::byte* begin = nullptr;
    return take(length * scalar, begin);  // cannot overflow: check_count held it against the file
  }
  for (uint64_t i = 0; i < length; ++i) SCROOGE_RETURN_IF_ERROR(read_payload(element, depth + 1));
  return {};
}

Status GgufParser::read_tensor(GgufTensor& tensor) {
  SCROOGE_RETURN_IF_ERROR(read_string(tensor.name));
  if (tensor.name.empty()) return fail("the name is empty");
  if (tensor.name.size() > kMaxTensorName) return fail("the name is longer than 64 KiB");
  item_ = concat("tensor ", printable(tensor.name));
  uint32_t rank = 0;
  SCROOGE_RETURN_IF_ERROR(read(rank));
  if (rank < 1 || rank > kMaxGgufRank) return fail(rank, " dimensions; expected 1 to ", kMaxGgufRank);
  for (uint32_t i = 0; i < rank; ++i) {
    uint64_t dimension = 0;
    SCROOGE_RETURN_IF_ERROR(read(dimension));
    if (dimension == 0 || dimension > INT64_MAX) return fail("dimension ", i, " is zero or negative");
    tensor.shape.push_back(static_cast<int64_t>(dimension));
  }
  std::reverse(tensor.shape.begin(), tensor.shape.end());
  if (!element_count(tensor.shape)) return fail("the number of elements overflows");
  SCROOGE_RETURN_IF_ERROR(read(tensor.type));
  return read(tensor.offset);
}

Status GgufParser::check_names() {
  std::sort(header_.values_.begin(), header_.values_.end(),
            [](const GgufValue& a, const GgufValue& b) { return a.key_ < b.key_; });
  const auto key = std::adjacent_find(header_.values_.begin(), header_.values_.end(),
                                      [](const GgufValue& a, const GgufValue& b) { return a.key_ == b.key_; });
  if (key != header_.values_.end()) {
    item_ = "metadata";
    return fail("key ", printable(key->key_), " appears twice");
  }
  std::vector<std::string_view> names;
  names.reserve(header_.tensors_.size());
  for (const GgufTensor& tensor : header_.tensors_) names.push_back(tensor.name);
  std::sort(names.begin(), names.end());
  const auto name = std::adjacent_find(names.begin(), names.end());
  if (name != names.end()) {
    item_ = "tensor table";
    return fail("tensor ", printable(*name), " appears twice");
  }
  return {};
}

Status GgufParser::read_alignment() {
  header_.alignment_ = kDefaultAlignment;
  if (const auto value = header_.find("general.alignment")) {
    const auto number = value->as_u64();
    if (!number.ok() || !std::has_single_bit(*number) || *number > kMaxAlignment) {
      return value->fail("the alignment is not a power of two up to 2^30; download the file again",
                         StatusCode::kBadCheckpoint);
    }
    header_.alignment_ = *number;
  }
  const CheckedSize data = CheckedSize(position_).align_up(header_.alignment_);
  if (!data.valid()) return fail("the header is too long");
  header_.data_offset_ = data.value();
  return {};
}

}  // namespace scrooge::checkpoint
