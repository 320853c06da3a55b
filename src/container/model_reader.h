// SPDX-License-Identifier: Apache-2.0
// Opens a .scrooge file for use in place. The file is untrusted: nothing in it is followed before it was checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/file_map.h"
#include "src/base/result.h"
#include "src/container/model_metadata.h"
#include "src/container/plane_codec.h"
#include "src/container/superblock.h"

namespace scrooge::container {

enum class OpenLevel {
  kBounds,     // superblock: magic, version, checksum, sizes, alignment. No index: metadata() stays empty
  kStructure,  // and the index: checksum, FlatBuffers verifier, semantic checks. The level for normal use
  kChecksums,  // and every byte of the payload
};

// Movable, not copyable. Const members are safe from several threads. Opening and reading go through pread: a file that
// another program cuts short is kSourceChanged. Only the spans of plane() and blob() are the map itself; they live as
// long as the reader (moves keep them), and reading them after the file was cut short is a bus error, as with any map.
class ModelReader {
 public:
  // Errors name file and field, tensor or plane: errors of FileMap::open, kBadModelFile, kChecksumMismatch,
  // kUnsupportedVersion (newer major version, unknown required feature or layout), kUnsupported on a big-endian host.
  static Result<ModelReader> open(const std::string& path, OpenLevel level = OpenLevel::kStructure);
  static Result<ModelReader> open(FileMap file, OpenLevel level = OpenLevel::kStructure);

  const std::string& path() const { return file_.path(); }
  const FileMap& file() const { return file_; }
  const Superblock& superblock() const { return superblock_; }
  const ModelMetadata& metadata() const { return metadata_; }
  std::span<const TensorRecord> tensors() const { return metadata_.tensors; }

  // Null when there is no tensor of this name.
  const TensorRecord* find(std::string_view name) const;
  // The bytes in the map, no copy; empty when the tensor has no such plane. REQUIRES: `tensor` is of this reader.
  std::span<const std::byte> plane(const TensorRecord& tensor, PlaneKind kind) const;
  // The first raw segment of a kind (kOther: of a kind and name), or nothing. An empty one is an empty span.
  std::optional<std::span<const std::byte>> blob(SegmentKind kind) const;
  std::optional<std::span<const std::byte>> blob(SegmentKind kind, std::string_view name) const;

  // The content of such a segment as a copy.
  Result<std::optional<std::string>> read_blob(SegmentKind kind) const;

  // Rows [first, first + count) of the weights as the model uses them, as f32, row after row: dequantized, with an
  // input_scale that is not folded divided out again; dense f32, f16 and bf16 converted. kInvalidArgument when rows or
  // out.size() do not fit; kUnsupported for u8; kSourceChanged. Whatever the layout. Holds about 256 KiB of its own
  // while it runs (1.5 MiB in the AutoAWQ layout), or a row, or those that its layout keeps together.
  // REQUIRES: `tensor` is of this reader.
  Status read_rows(const TensorRecord& tensor, uint64_t first, uint64_t count, std::span<float> out) const;

  // A region of canonical rows of a plane of a quantized tensor (plane_codec.h), from the file. REQUIRES: `tensor` is
  // of this reader and has the plane; what `codec`, made for it, requires.
  Status read_region(const TensorRecord& tensor, PlaneKind kind, const PlaneCodec& codec, const PlaneRegion& region,
                     std::span<std::byte> out) const;
  // Bytes of a plane as they are stored. REQUIRES: they lie in it.
  Status read_stored(const PlaneRecord& plane, uint64_t offset, std::span<std::byte> out) const {
    return file_.read(plane.offset + offset, out);
  }
  // Of a raw segment. REQUIRES: they lie in it.
  Status read_stored(const SegmentRecord& segment, uint64_t offset, std::span<std::byte> out) const {
    return file_.read(segment.offset + offset, out);
  }

  // Page hints for all planes of a tensor. REQUIRES: `tensor` is of this reader.
  void prefetch(const TensorRecord& tensor) const;
  void drop(const TensorRecord& tensor) const;

 private:
  ModelReader() = default;
  Status load_index();
  Status read_some_rows(const TensorRecord& tensor, uint64_t first, uint64_t count, std::span<float> out) const;
  Status read_quantized_rows(const TensorRecord& tensor, uint64_t first, uint64_t count, std::span<float> out) const;
  std::span<const std::byte> bytes(uint64_t offset, uint64_t size) const;

  FileMap file_;
  Superblock superblock_;
  ModelMetadata metadata_;
  std::vector<uint32_t> by_name_;  // tensor indices, sorted by name
};

}  // namespace scrooge::container
