// SPDX-License-Identifier: Apache-2.0
// Small .scrooge files for tests and fuzz corpora, and the means to damage them.
#pragma once

#include <cstring>
#include <fstream>
#include <map>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "src/base/digest.h"
#include "src/container/metadata_codec.h"
#include "src/container/model_reader.h"
#include "src/container/model_writer.h"
#include "src/container/superblock.h"

namespace scrooge::container {

using Bytes = std::vector<std::byte>;

inline Bytes read_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  const auto view = std::as_bytes(std::span(text));
  return Bytes(view.begin(), view.end());
}

inline void write_bytes(const std::string& path, std::span<const std::byte> bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

// Plane contents by plane, the same for the same tensor name; f16 and bf16 scales are positive and finite.
inline std::map<PlaneKind, Bytes> random_planes(const TensorDescription& description) {
  std::mt19937 random(static_cast<uint32_t>(std::hash<std::string>()(description.name)));
  std::map<PlaneKind, Bytes> planes;
  const auto geometry = plane_geometry(description);
  if (!geometry.ok()) return planes;
  for (const PlaneGeometry& plane : *geometry) {
    Bytes& bytes = planes[plane.kind];
    bytes.resize(plane.size);
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
    if (plane.kind == PlaneKind::kCodes || plane.kind == PlaneKind::kZeros) continue;
    // Exponent bits that every floating type reads as moderate numbers: little-endian 0x3cXX and 0x3f80XXXX patterns.
    for (size_t i = 1; i < bytes.size(); i += 2) bytes[i] = std::byte{0x3c};
  }
  return planes;
}

inline Status add(ModelWriter& writer, const TensorDescription& description) {
  const auto planes = random_planes(description);
  std::vector<PlaneBytes> views;
  for (const auto& [kind, bytes] : planes) views.push_back({kind, bytes});
  return writer.add_tensor(description, views);
}

inline TensorDescription quantized(std::string name, uint64_t rows, uint64_t cols, QuantSpec spec) {
  TensorDescription description;
  description.name = std::move(name);
  description.rows = rows;
  description.cols = cols;
  description.kind = TensorKind::kQuantized;
  description.spec = spec;
  return description;
}

inline TensorDescription dense(std::string name, uint64_t rows, uint64_t cols, DType dtype,
                               TensorKind kind = TensorKind::kDense) {
  TensorDescription description;
  description.name = std::move(name);
  description.rows = rows;
  description.cols = cols;
  description.kind = kind;
  description.dtype = dtype;
  return description;
}

inline ModelInfo sample_info() {
  ModelInfo info;
  info.tag = "awq_w4_g16";
  info.architecture = "llama";
  info.method = "awq";
  info.spec.group = 16;
  info.seed = 7;
  info.grid = 20;
  info.propagate = "linear";
  info.attributes = {{"clip", "true"}, {"note", "caf\xc3\xa9"}};
  info.library_version = "0.1.0";
  info.source_format = "safetensors";
  info.sources = {{"model.safetensors", 123, std::string(64, 'a')}};
  info.tokens = {1000, 24, 8, 128};
  BlockReport block;
  block.tokens = 1000;
  block.scale_sets = {{"qkv", "norm1", "mean_abs", 0.5, 2.0, 1.5, "b0.scale"}};
  block.linears = {{"b0.q", 3.0, 1.25, false, {5, 4}, {1.0f, 0.9f}}};
  info.blocks = {block};
  return info;
}

inline std::vector<TensorDescription> sample_tensors(TensorLayout layout = {}) {
  QuantSpec spec;
  spec.group = 16;
  auto q = quantized("b0.q", layout.id == LayoutId::kAwq ? 8 : 3, 40, spec);
  q.folded = true;
  q.layout = layout;
  return {q, dense("b0.norm", 1, 40, DType::kBF16), dense("b0.scale", 1, 40, DType::kF32, TensorKind::kAuxiliary)};
}

inline Status write_sample(const std::string& path, const ModelInfo& info = sample_info(), Alignment alignment = {},
                           TensorLayout layout = {}) {
  SCROOGE_ASSIGN_OR_RETURN(ModelWriter writer, ModelWriter::create(path, alignment));
  const std::string config = "{\"hidden_size\":40}";
  SCROOGE_RETURN_IF_ERROR(writer.add_blob(SegmentKind::kConfig, "config.json", std::as_bytes(std::span(config))));
  SCROOGE_RETURN_IF_ERROR(writer.begin_segment("block.0", SegmentKind::kBlock));
  for (const TensorDescription& tensor : sample_tensors(layout)) SCROOGE_RETURN_IF_ERROR(add(writer, tensor));
  SCROOGE_RETURN_IF_ERROR(writer.end_segment());
  return writer.finish(info);
}

// Puts right the checksums of index and superblock after damage, so that the checks behind them are reached.
inline void reseal(Bytes& file, Superblock superblock) {
  superblock.meta_xxh64 = static_cast<uint32_t>(
      xxh64(std::span<const std::byte>(file).subspan(superblock.meta_offset, superblock.meta_size)));
  const auto block = encode_superblock(superblock);
  std::memcpy(file.data(), block.data(), block.size());
}

// The file with its index replaced by `metadata`, unchecked.
inline Bytes with_index(const Bytes& file, Superblock superblock, const ModelMetadata& metadata) {
  const Bytes index = *encode_metadata(metadata);
  Bytes out(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(superblock.meta_offset));
  out.insert(out.end(), index.begin(), index.end());
  out.resize(CheckedSize(out.size()).align_up(superblock.alignment.segment()).value());
  superblock.meta_size = index.size();
  superblock.file_size = out.size();
  reseal(out, superblock);
  return out;
}

}  // namespace scrooge::container
