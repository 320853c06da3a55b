// SPDX-License-Identifier: Apache-2.0
#include "src/container/payload_check.h"

#include <algorithm>
#include <vector>

#include "src/base/digest.h"
#include "src/container/metadata_check.h"

namespace scrooge::container {
namespace {

constexpr uint64_t kBufferBytes = 1 << 20;
constexpr uint64_t kReportBytes = 4 << 20;

class PayloadCheck {
 public:
  // `done` bytes were checked already, by whoever read the superblock and the index.
  PayloadCheck(const FileMap& file, const CheckProgress& progress, uint64_t done)
      : file_(file), progress_(progress), buffer_(std::min(kBufferBytes, file.size())), done_(done) {}

  // Calls take(bytes) -> Status over [offset, offset + size).
  template <typename Take>
  Status each_piece(uint64_t offset, uint64_t size, Take take) {
    while (size > 0) {
      const auto piece = std::span(buffer_).first(std::min<uint64_t>(size, buffer_.size()));
      SCROOGE_RETURN_IF_ERROR(file_.read(offset, piece));
      SCROOGE_RETURN_IF_ERROR(take(std::span<const std::byte>(piece), offset));
      offset += piece.size();
      size -= piece.size();
      SCROOGE_RETURN_IF_ERROR(advance(piece.size()));
    }
    return {};
  }

  Result<uint64_t> hash_of(uint64_t offset, uint64_t size) {
    SCROOGE_RETURN_IF_ERROR(each_piece(offset, size, [&](std::span<const std::byte> bytes, uint64_t) {
      hash_.update(bytes);
      return Status();
    }));
    return hash_.finish();
  }

  Status check_zero(uint64_t offset, uint64_t size) {
    return each_piece(offset, size, [&](std::span<const std::byte> bytes, uint64_t at) -> Status {
      const auto found = std::find_if(bytes.begin(), bytes.end(), [](std::byte b) { return b != std::byte{0}; });
      if (found == bytes.end()) return {};
      return error(StatusCode::kBadModelFile, file_.path(), ": the padding at byte ", at + (found - bytes.begin()),
                   " is not zero; fetch the file again");
    });
  }

 private:
  Status advance(uint64_t bytes) {
    done_ += bytes;
    const bool last = done_ == file_.size();
    if (!progress_ || (done_ - reported_ < kReportBytes && !last)) return {};
    reported_ = done_;
    if (progress_(done_, file_.size())) return {};
    return error(StatusCode::kCancelled, file_.path(), ": the check was cancelled after ", done_, " bytes");
  }

  const FileMap& file_;
  const CheckProgress& progress_;
  std::vector<std::byte> buffer_;
  Xxh64 hash_;
  uint64_t done_;
  uint64_t reported_ = 0;
};

}  // namespace

Status check_payload(const FileMap& file, const ModelMetadata& metadata, const Superblock& superblock,
                     const CheckProgress& progress) {
  PayloadCheck check(file, progress, superblock.size + superblock.meta_size);
  const auto mismatch = [&](const auto&... what) {
    return error(StatusCode::kChecksumMismatch, file.path(), ": ", what...,
                 " does not match its checksum; fetch the file again");
  };
  for (const SegmentRecord& segment : metadata.segments) {
    if (!is_blob(segment.kind)) continue;
    SCROOGE_ASSIGN_OR_RETURN(const uint64_t found, check.hash_of(segment.offset, segment.size));
    if (found != segment.xxh64) return mismatch("segment \"", printable(segment.name), "\"");
  }
  for (const TensorRecord& tensor : metadata.tensors) {
    for (const PlaneRecord& plane : tensor.planes) {
      SCROOGE_ASSIGN_OR_RETURN(const uint64_t found, check.hash_of(plane.offset, plane.size));
      if (found != plane.xxh64) {
        return mismatch("tensor \"", printable(tensor.description.name), "\", plane ", plane_kind_name(plane.kind));
      }
    }
  }
  uint64_t end = 0;
  for (const UsedRange& range : used_ranges(metadata, superblock)) {
    SCROOGE_RETURN_IF_ERROR(check.check_zero(end, range.offset - end));
    end = range.offset + range.size;
  }
  SCROOGE_RETURN_IF_ERROR(check.check_zero(end, superblock.file_size - end));
  return file.check_unchanged();
}

}  // namespace scrooge::container
