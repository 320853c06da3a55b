// SPDX-License-Identifier: Apache-2.0
#include "src/checkpoint/safetensors_header.h"

#include <algorithm>

#include "src/base/checked_size.h"
#include "src/base/json.h"
#include "src/checkpoint/load.h"

namespace scrooge::checkpoint {
namespace {

constexpr uint64_t kLengthBytes = 8;
constexpr std::string_view kRemedy = "; download the file again";

enum class Use { kWeight, kSkip, kUnsupported };
struct FileType {
  std::string_view name;
  uint64_t bits;
  Use use;
  StoredType stored;
};
constexpr FileType kFileTypes[] = {
    {"F32", 32, Use::kWeight, StoredType::kF32},
    {"F16", 16, Use::kWeight, StoredType::kF16},
    {"BF16", 16, Use::kWeight, StoredType::kBF16},
    {"BOOL", 8, Use::kSkip, {}},
    {"U8", 8, Use::kSkip, {}},
    {"I8", 8, Use::kSkip, {}},
    {"U16", 16, Use::kSkip, {}},
    {"I16", 16, Use::kSkip, {}},
    {"U32", 32, Use::kSkip, {}},
    {"I32", 32, Use::kSkip, {}},
    {"U64", 64, Use::kSkip, {}},
    {"I64", 64, Use::kSkip, {}},
    {"F64", 64, Use::kUnsupported, {}},
    {"F8_E4M3", 8, Use::kUnsupported, {}},
    {"F8_E5M2", 8, Use::kUnsupported, {}},
    {"F8_E8M0", 8, Use::kUnsupported, {}},
    {"F8_E4M3FNUZ", 8, Use::kUnsupported, {}},
    {"F8_E5M2FNUZ", 8, Use::kUnsupported, {}},
    {"F6_E2M3", 6, Use::kUnsupported, {}},
    {"F6_E3M2", 6, Use::kUnsupported, {}},
    {"F4", 4, Use::kUnsupported, {}},
    {"C64", 64, Use::kUnsupported, {}},
};

const FileType* find_type(std::string_view name) {
  const auto* at = std::find_if(std::begin(kFileTypes), std::end(kFileTypes),
                                [&](const FileType& type) { return type.name == name; });
  return at == std::end(kFileTypes) ? nullptr : at;
}

using Member = std::pair<std::string_view, JsonValue>;

// A value of the object by name; fields are few, so every pair is compared. Unknown fields are left alone.
Result<JsonValue> field(const JsonValue& object, const std::vector<Member>& members, std::string_view key) {
  const Member* found = nullptr;
  for (const Member& member : members) {
    if (member.first != key) continue;
    if (found != nullptr) return object.fail(concat("field \"", key, "\" appears twice"));
    found = &member;
  }
  if (found == nullptr) return object.fail(concat("field \"", key, "\" is missing"));
  return found->second;
}

struct Extent {
  uint64_t begin;
  uint64_t end;
  size_t tensor;  // index among the header's members
};

class Parser {
 public:
  Parser(uint64_t data_offset, uint64_t file_size, const std::string& name)
      : data_offset_(data_offset), data_size_(file_size - data_offset), name_(name) {}

  Result<SafetensorsHeader> run(std::string_view json);

 private:
  Status add_tensor(std::string_view tensor_name, const JsonValue& value);
  Status check_metadata(const JsonValue& value) const;
  Status check_coverage();
  Status fail(std::string_view tensor_name, std::string_view what) const {
    return error(StatusCode::kBadCheckpoint, name_, ": tensor ", printable(tensor_name), ": ", what, kRemedy);
  }

  uint64_t data_offset_;
  uint64_t data_size_;
  const std::string& name_;
  std::vector<std::string_view> names_;
  std::vector<Extent> extents_;
  SafetensorsHeader header_;
};

Result<SafetensorsHeader> Parser::run(std::string_view json) {
  const size_t begin = json.find_first_not_of(" \t\r\n");
  // A byte order mark must not pass: the JSON library would skip it.
  if (begin == std::string_view::npos || json[begin] != '{') {
    return error(StatusCode::kBadCheckpoint, name_, ": the header does not begin with \"{\"", kRemedy);
  }
  SCROOGE_ASSIGN_OR_RETURN(const JsonDocument document,
                           JsonDocument::parse(json, name_, StatusCode::kBadCheckpoint,
                                               {.max_bytes = kMaxSafetensorsHeader, .max_depth = 16}));
  SCROOGE_ASSIGN_OR_RETURN(const auto members, document.root().as_object());
  if (members.size() > kMaxSafetensorsTensors) {
    return error(StatusCode::kBadCheckpoint, name_, ": ", members.size(), " tensors, above the limit of ",
                 kMaxSafetensorsTensors);
  }
  bool metadata = false;
  for (const auto& [key, value] : members) {
    if (key != "__metadata__") {
      SCROOGE_RETURN_IF_ERROR(add_tensor(key, value));
    } else if (metadata) {
      return value.fail("appears twice");
    } else {
      metadata = true;
      SCROOGE_RETURN_IF_ERROR(check_metadata(value));
    }
  }
  std::vector<std::string_view> sorted = names_;
  std::sort(sorted.begin(), sorted.end());
  const auto twin = std::adjacent_find(sorted.begin(), sorted.end());
  if (twin != sorted.end()) return fail(*twin, "the name appears twice");
  SCROOGE_RETURN_IF_ERROR(check_coverage());
  return std::move(header_);
}

Status Parser::check_metadata(const JsonValue& value) const {
  SCROOGE_ASSIGN_OR_RETURN(const auto entries, value.as_object());
  for (const auto& entry : entries) {
    if (!entry.second.is_string()) return entry.second.fail("metadata values are strings");
  }
  return {};
}

Status Parser::add_tensor(std::string_view tensor_name, const JsonValue& value) {
  if (tensor_name.size() > kMaxTensorName) return fail(tensor_name.substr(0, 64), "the name is longer than 64 KiB");
  SCROOGE_ASSIGN_OR_RETURN(const auto members, value.as_object());
  SCROOGE_ASSIGN_OR_RETURN(const JsonValue dtype, field(value, members, "dtype"));
  SCROOGE_ASSIGN_OR_RETURN(const std::string_view type_name, dtype.as_string());
  const FileType* type = find_type(type_name);
  if (type == nullptr) return dtype.fail(concat("unknown type \"", printable(type_name), "\""));

  TensorInfo tensor;
  SCROOGE_ASSIGN_OR_RETURN(const JsonValue shape, field(value, members, "shape"));
  SCROOGE_ASSIGN_OR_RETURN(const auto dimensions, shape.as_array());
  if (dimensions.size() > kMaxTensorRank) return shape.fail(concat("more than ", kMaxTensorRank, " dimensions"));
  for (const JsonValue& dimension : dimensions) {
    SCROOGE_ASSIGN_OR_RETURN(const int64_t length, dimension.as_int_in(0, INT64_MAX));
    tensor.shape.push_back(length);
  }
  const auto elements = element_count(tensor.shape);
  if (!elements) return shape.fail("the number of elements overflows");
  const CheckedSize bits = CheckedSize(*elements) * CheckedSize(type->bits);
  if (!bits.valid()) return shape.fail("the size in bits overflows");
  if (bits.value() % 8 != 0) return shape.fail("the size is not a whole number of bytes");

  SCROOGE_ASSIGN_OR_RETURN(const JsonValue offsets, field(value, members, "data_offsets"));
  SCROOGE_ASSIGN_OR_RETURN(const auto ends, offsets.as_array());
  if (ends.size() != 2) return offsets.fail("expected two offsets, the first byte and the one after the last");
  SCROOGE_ASSIGN_OR_RETURN(const int64_t first, ends[0].as_int_in(0, INT64_MAX));
  SCROOGE_ASSIGN_OR_RETURN(const int64_t last, ends[1].as_int_in(0, INT64_MAX));
  if (last < first) return offsets.fail("the end lies before the beginning");
  const auto begin = static_cast<uint64_t>(first);
  const auto end = static_cast<uint64_t>(last);
  if (end > data_size_) {
    return offsets.fail(concat("byte ", end, " is beyond the ", data_size_,
                               " bytes of data; the file is cut short, download it again"));
  }
  if (end - begin != bits.value() / 8) {
    return offsets.fail(concat(end - begin, " bytes, but shape and type need ", bits.value() / 8));
  }
  if (type->use == Use::kUnsupported) {
    return error(StatusCode::kUnsupported, name_, ": tensor ", printable(tensor_name), " has type ", type_name,
                 "; convert the checkpoint to F32, F16 or BF16");
  }
  extents_.push_back({begin, end, names_.size()});
  names_.push_back(tensor_name);
  if (type->use == Use::kSkip) {
    header_.skipped.emplace_back(tensor_name);
    return {};
  }
  tensor.name = tensor_name;
  tensor.type = type->stored;
  tensor.bytes = end - begin;
  const CheckedSize offset = CheckedSize(data_offset_) + CheckedSize(begin);
  if (!offset.valid()) return offsets.fail("the offset overflows");
  tensor.offset = offset.value();
  header_.tensors.push_back(std::move(tensor));
  return {};
}

// In order of offsets the tensors must follow one another from the first byte of data to the last of the file.
Status Parser::check_coverage() {
  std::sort(extents_.begin(), extents_.end(),
            [](const Extent& a, const Extent& b) { return a.begin != b.begin ? a.begin < b.begin : a.end < b.end; });
  uint64_t covered = 0;
  for (const Extent& extent : extents_) {
    if (extent.begin != covered) {
      return fail(names_[extent.tensor], concat(extent.begin < covered ? "overlaps another tensor" : "follows a hole",
                                                " at data offset ", extent.begin));
    }
    covered = extent.end;
  }
  if (covered != data_size_) {
    return error(StatusCode::kBadCheckpoint, name_, ": ", data_size_ - covered,
                 " bytes after the last tensor belong to none", kRemedy);
  }
  return {};
}

}  // namespace

Result<SafetensorsHeader> parse_safetensors_header(std::string_view json, uint64_t data_offset, uint64_t file_size,
                                                   const std::string& name) {
  if (data_offset > file_size) {
    return error(StatusCode::kBadCheckpoint, name, ": the header is longer than the file", kRemedy);
  }
  return Parser(data_offset, file_size, name).run(json);
}

Result<SafetensorsHeader> read_safetensors_header(const FileMap& file) {
  if (file.size() < kLengthBytes) {
    return error(StatusCode::kBadCheckpoint, file.path(), ": ", file.size(),
                 " bytes are too few for a safetensors file", kRemedy);
  }
  std::byte prefix[kLengthBytes];
  SCROOGE_RETURN_IF_ERROR(file.read(0, prefix));
  const auto length = load_le<uint64_t>(prefix);
  if (length > kMaxSafetensorsHeader || length > file.size() - kLengthBytes) {
    return error(StatusCode::kBadCheckpoint, file.path(), ": header length ", length, " at offset 0 is above ",
                 length > kMaxSafetensorsHeader ? "the limit of 100 MB" : "the size of the file",
                 "; this is not a safetensors file, or it was cut short");
  }
  std::string json(length, '\0');
  SCROOGE_RETURN_IF_ERROR(file.read(kLengthBytes, std::as_writable_bytes(std::span(json))));
  return parse_safetensors_header(json, kLengthBytes + length, file.size(), file.path());
}

}  // namespace scrooge::checkpoint
