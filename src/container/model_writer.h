// SPDX-License-Identifier: Apache-2.0
// Writes a .scrooge file front to back. Planes go straight to the file: nothing but the index is held in memory. The
// file appears under its name only when finish() succeeds; until then, and after any error, an older file stays as it
// was and destruction removes the temporary one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "src/base/atomic_file.h"
#include "src/base/cancel.h"
#include "src/base/digest.h"
#include "src/base/result.h"
#include "src/container/layout_cursor.h"
#include "src/container/model_metadata.h"
#include "src/container/plane_geometry.h"

namespace scrooge::container {

struct PlaneBytes {
  PlaneKind kind = PlaneKind::kData;
  std::span<const std::byte> bytes;
};

// Movable; one thread. Calls nest as segment > tensor > plane > append; a call out of turn is kInvalidArgument. The
// first error of any kind sticks: every later call returns it, and finish() never publishes a damaged file.
//
// A plane's bytes are final once appended. Where a later step changes an earlier tensor of the same block (folding a
// scale into the rows of v or up), the caller keeps that tensor and adds it when it is final; the order of tensors in a
// segment is the order of the calls.
class ModelWriter {
 public:
  // Errors of AtomicFile::create; kInvalidArgument when the alignment is out of range; kUnsupported on a big-endian
  // host.
  static Result<ModelWriter> create(const std::string& path, Alignment alignment = {});
  // Into a file that the caller has created, or resumed: then adopt() takes over the segments in it.
  static Result<ModelWriter> create(AtomicFile file, Alignment alignment = {});

  // The segment ended last, with its tensors: what adopt() needs to take it over in another process.
  ModelMetadata last_segment() const;
  // Everything written so far is durable when this returns.
  Status sync();
  // Writes a finished segment back piece by piece, so that sync() takes little. kCancelled, after which the writer goes
  // on as before.
  Status write_out(const ModelMetadata& segment, CancelToken* cancel);
  // Takes a synced segment out of the page cache.
  void drop_cached(const ModelMetadata& segment) const;
  // Instead of writing the next segment: takes over the one that an earlier writer left in this place. All of it is
  // read and held against its checksums first: false when it is damaged, and the writer is as before. kBadModelFile
  // when it is not the segment that would be written here; kCancelled. `given` is from last_segment().
  Result<bool> adopt(const ModelMetadata& given, CancelToken* cancel = nullptr);
  // The same check alone: whether the segment is in the file, undamaged.
  Result<bool> intact(const ModelMetadata& given, CancelToken* cancel = nullptr) const;
  // Bytes of a finished segment.
  Status read(uint64_t offset, std::span<std::byte> bytes) const { return file_.read_at(offset, bytes); }
  // Whether destruction leaves an unfinished file behind; at first not.
  void keep(bool kept) { file_.keep(kept); }

  // Reserves disk space for a file of `total_bytes` (planned_size()); kNoSpace names what is needed. Too much is given
  // back by finish().
  Status reserve(uint64_t total_bytes);

  // A segment of tensors: kBlock, kEmbedding, kHead, kExtras. Names are unique in the file.
  Status begin_segment(std::string name, SegmentKind kind);
  // Names are unique in the file. Planes follow in the order of PlaneKind, exactly those the description implies
  // (plane_geometry.h).
  Status begin_tensor(TensorDescription description);
  Status begin_plane(PlaneKind kind);
  // The next bytes of the plane, any number of times, in the order of the tensor's layout.
  Status append(std::span<const std::byte> bytes);
  // kInvalidArgument when the plane did not get exactly its bytes.
  Status end_plane();
  Status end_tensor();
  Status end_segment();

  // begin_tensor, every plane whole, end_tensor.
  Status add_tensor(TensorDescription description, std::span<const PlaneBytes> planes);
  // A raw segment of its own: kConfig, kTokenizer, kTokenizerConfig, kGgufHeader, kOther. Outside any other segment.
  Status add_blob(SegmentKind kind, std::string name, std::span<const std::byte> bytes);
  // The same piece by piece, from `read`, whose errors it returns.
  Status add_blob(SegmentKind kind, std::string name, uint64_t size,
                  const std::function<Status(uint64_t offset, std::span<std::byte> out)>& read);

  // Checks everything a reader would check, writes index and superblock, makes the file durable and publishes it.
  // kInvalidArgument naming the field when `info` cannot be stored. The writer is then spent.
  Status finish(const ModelInfo& info);

  // Of the whole file; 0 before finish().
  uint64_t file_size() const { return file_size_; }
  // Bytes placed so far, padding included.
  uint64_t bytes_written() const { return cursor_.end().value_or(0); }

 private:
  enum class State { kIdle, kSegment, kTensor, kPlane, kFinished };

  ModelWriter(AtomicFile file, Alignment alignment)
      : file_(std::move(file)), alignment_(alignment), cursor_(alignment) {}

  Status require(State state, const char* call);
  Status stick(Status status);
  Status start_segment(std::string name, SegmentKind kind);
  void close_segment();
  Status publish(const ModelInfo& info);
  Result<bool> is_intact(uint64_t offset, uint64_t size, uint64_t hash, CancelToken* cancel) const;
  Status place_segment(const ModelMetadata& given);

  AtomicFile file_;
  Alignment alignment_;
  LayoutCursor cursor_;
  State state_ = State::kIdle;
  Status first_error_;
  ModelMetadata metadata_;
  // A name given twice must come out at once, not after hours of work.
  std::unordered_set<std::string> segment_names_;
  std::unordered_set<std::string> tensor_names_;
  std::vector<PlaneGeometry> geometry_;  // of the tensor begun
  uint64_t plane_filled_ = 0;
  uint64_t file_size_ = 0;
  Xxh64 plane_hash_;
};

}  // namespace scrooge::container
