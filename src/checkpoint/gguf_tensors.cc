// SPDX-License-Identifier: Apache-2.0
#include "src/checkpoint/gguf_tensors.h"

#include <algorithm>
#include <string>

#include "src/base/checked_size.h"
#include "src/checkpoint/mapped_weights.h"

namespace scrooge::checkpoint {
namespace {

struct FileType {
  uint32_t number;
  StoredType stored;
};
constexpr FileType kFileTypes[] = {
    {0, StoredType::kF32},   {1, StoredType::kF16},   {2, StoredType::kQ4_0},  {3, StoredType::kQ4_1},
    {6, StoredType::kQ5_0},  {7, StoredType::kQ5_1},  {8, StoredType::kQ8_0},  {12, StoredType::kQ4_K},
    {13, StoredType::kQ5_K}, {14, StoredType::kQ6_K}, {30, StoredType::kBF16},
};

struct OtherType {
  uint32_t number;
  std::string_view name;
};
constexpr OtherType kOtherTypes[] = {
    {9, "q8_1"},     {10, "q2_k"},  {11, "q3_k"},   {15, "q8_k"},  {16, "iq2_xxs"}, {17, "iq2_xs"},
    {18, "iq3_xxs"}, {19, "iq1_s"}, {20, "iq4_nl"}, {21, "iq3_s"}, {22, "iq2_s"},   {23, "iq4_xs"},
    {24, "i8"},      {25, "i16"},   {26, "i32"},    {27, "i64"},   {28, "f64"},     {29, "iq1_m"},
    {34, "tq1_0"},   {35, "tq2_0"}, {39, "mxfp4"},  {40, "nvfp4"},
};

std::string other_type_name(uint32_t number) {
  for (const OtherType& type : kOtherTypes) {
    if (type.number == number) return std::string(type.name);
  }
  return concat("number ", number);
}

Status fail(const GgufHeader& header, std::string_view tensor, std::string_view what) {
  return error(StatusCode::kBadCheckpoint, header.name(), ": tensor ", printable(tensor), ": ", what,
               "; download the file again");
}

Result<TensorInfo> resolve(const GgufHeader& header, const GgufTensor& tensor, uint64_t file_size) {
  const auto* type = std::find_if(std::begin(kFileTypes), std::end(kFileTypes),
                                  [&](const FileType& t) { return t.number == tensor.type; });
  if (type == std::end(kFileTypes)) {
    return error(StatusCode::kUnsupported, header.name(), ": tensor ", printable(tensor.name), " has type ",
                 other_type_name(tensor.type), "; give a checkpoint in f16, bf16, f32 or a q4 to q8 type");
  }
  TensorInfo info;
  info.name = tensor.name;
  info.type = type->stored;
  info.shape = tensor.shape;
  const auto bytes = stored_bytes(info.type, info.shape);
  if (!bytes) {
    return fail(header, tensor.name,
                concat("a row of ", info.cols(), " weights is not whole blocks of ", stored_type_name(info.type),
                       ", or its size overflows"));
  }
  info.bytes = *bytes;
  if (tensor.offset % header.alignment() != 0) {
    return fail(header, tensor.name,
                concat("data offset ", tensor.offset, " is not a multiple of ", header.alignment()));
  }
  const CheckedSize offset = CheckedSize(header.data_offset()) + CheckedSize(tensor.offset);
  if (!offset.range_fits(info.bytes, file_size)) {
    return fail(header, tensor.name,
                concat(info.bytes, " bytes at data offset ", tensor.offset, " end outside the file of ", file_size));
  }
  info.offset = offset.value();
  return info;
}

}  // namespace

Result<std::vector<TensorInfo>> gguf_tensors(const GgufHeader& header, uint64_t file_size) {
  std::vector<TensorInfo> tensors;
  tensors.reserve(header.tensors().size());
  for (const GgufTensor& tensor : header.tensors()) {
    SCROOGE_ASSIGN_OR_RETURN(TensorInfo info, resolve(header, tensor, file_size));
    tensors.push_back(std::move(info));
  }
  std::vector<const TensorInfo*> by_offset;
  by_offset.reserve(tensors.size());
  for (const TensorInfo& tensor : tensors) by_offset.push_back(&tensor);
  std::sort(by_offset.begin(), by_offset.end(), [](const auto* a, const auto* b) { return a->offset < b->offset; });
  for (size_t i = 1; i < by_offset.size(); ++i) {
    const TensorInfo& before = *by_offset[i - 1];
    // Both ends are inside the file, so the sum cannot overflow.
    if (before.offset + before.bytes > by_offset[i]->offset) {
      return fail(header, by_offset[i]->name, concat("its data overlaps that of ", printable(before.name)));
    }
  }
  return tensors;
}

}  // namespace scrooge::checkpoint
