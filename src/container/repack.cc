// SPDX-License-Identifier: Apache-2.0
#include "src/container/repack.h"

#include <algorithm>

#include "src/base/atomic_file.h"
#include "src/container/layout_plan.h"
#include "src/container/model_reader.h"
#include "src/container/model_writer.h"

namespace scrooge::container {
namespace {

constexpr uint64_t kCopyBytes = 1 << 20;
// Where the planes of one layout run along the rows and those of the other along the columns, a row of a region is a
// read of its own: the larger the region, the longer these are.
constexpr uint64_t kRegionBytes = 4 << 20;

class Repack {
 public:
  Repack(const ModelReader& reader, std::string_view layout, const CheckProgress& progress)
      : reader_(reader), layout_(layout), progress_(progress) {}

  // What the output will hold, and whether it can.
  Status plan() {
    const ModelMetadata& metadata = reader_.metadata();
    if (metadata.info.is_calibration()) {
      return error(StatusCode::kBadModelFile, reader_.path(),
                   ": holds the results of a calibration, which have no layout; give a model");
    }
    if (metadata.version_minor > kFormatMinor) {
      return error(StatusCode::kUnsupportedVersion, reader_.path(), ": version ", metadata.version_major, ".",
                   metadata.version_minor,
                   " may hold what this version would not keep; update the library to repack the file");
    }
    info_ = metadata.info;
    SCROOGE_ASSIGN_OR_RETURN(info_.layout, find_layout(layout_, info_.spec));
    for (const SegmentRecord& segment : metadata.segments) {
      segments_.push_back({segment.name, segment.kind, {}, is_blob(segment.kind) ? segment.size : 0});
      sources_.emplace_back();
    }
    for (const TensorRecord& tensor : metadata.tensors) {
      TensorDescription description = tensor.description;
      if (description.kind == TensorKind::kQuantized) {
        SCROOGE_ASSIGN_OR_RETURN(description.layout, find_layout(layout_, description.spec));
        ++summary_.quantized;
      }
      const uint32_t segment = tensor.planes.front().segment;
      segments_[segment].tensors.push_back(std::move(description));
      sources_[segment].push_back(&tensor);
    }
    summary_.tensors = metadata.tensors.size();
    auto planned = planned_size(segments_, info_, reader_.superblock().alignment);
    if (!planned.ok()) return planned.status().with_context(reader_.path());
    total_ = reader_.superblock().file_size + *planned;
    return check_layout(info_.layout, info_.spec).with_context(concat(reader_.path(), ": scheme"));
  }

  // Every byte of the input, which is then read in another order.
  Status check() {
    const CheckProgress first = [this](uint64_t done, uint64_t) { return !progress_ || progress_(done, total_); };
    return check_payload(reader_.file(), reader_.metadata(), reader_.superblock(), first);
  }

  Result<RepackSummary> write(ModelWriter& writer) {
    SCROOGE_RETURN_IF_ERROR(writer.reserve(total_ - reader_.superblock().file_size));
    for (size_t i = 0; i < segments_.size(); ++i) {
      const SegmentPlan& segment = segments_[i];
      const SegmentRecord& record = reader_.metadata().segments[i];
      if (is_blob(segment.kind)) {
        SCROOGE_RETURN_IF_ERROR(writer.add_blob(
            segment.kind, segment.name, record.size,
            [&](uint64_t offset, std::span<std::byte> out) { return reader_.read_stored(record, offset, out); }));
        continue;
      }
      SCROOGE_RETURN_IF_ERROR(writer.begin_segment(segment.name, segment.kind));
      for (size_t t = 0; t < segment.tensors.size(); ++t) {
        SCROOGE_RETURN_IF_ERROR(write_tensor(writer, segment.tensors[t], *sources_[i][t]));
      }
      SCROOGE_RETURN_IF_ERROR(writer.end_segment());
    }
    SCROOGE_RETURN_IF_ERROR(reader_.file().check_unchanged());
    SCROOGE_RETURN_IF_ERROR(writer.finish(info_));
    summary_.bytes = writer.file_size();
    if (progress_) (void)progress_(total_, total_);
    return summary_;
  }

 private:
  Status write_tensor(ModelWriter& writer, const TensorDescription& to, const TensorRecord& from) {
    SCROOGE_RETURN_IF_ERROR(writer.begin_tensor(to));
    SCROOGE_ASSIGN_OR_RETURN(const auto planes, plane_geometry(to));
    const TakeStored take = [&](std::span<const std::byte> bytes) -> Status {
      SCROOGE_RETURN_IF_ERROR(writer.append(bytes));
      const uint64_t done = reader_.superblock().file_size + writer.bytes_written();
      if (!progress_ || progress_(std::min(done, total_), total_)) return {};
      return error(StatusCode::kCancelled, reader_.path(), ": repacking was cancelled");
    };
    for (const PlaneGeometry& plane : planes) {
      SCROOGE_RETURN_IF_ERROR(writer.begin_plane(plane.kind));
      const bool ordered = to.kind == TensorKind::kQuantized && plane.kind != PlaneKind::kInputScale;
      SCROOGE_RETURN_IF_ERROR(ordered && !(to.layout == from.description.layout)
                                  ? reorder(to, from, plane.kind, take)
                                  : each_piece(*from.plane(plane.kind), take));
      SCROOGE_RETURN_IF_ERROR(writer.end_plane());
    }
    const bool drops_zeros = from.plane(PlaneKind::kZeros) != nullptr && !has_zeros(to.spec, to.layout);
    if (drops_zeros) SCROOGE_RETURN_IF_ERROR(check_symmetric(from));
    return writer.end_tensor();
  }

  Status reorder(const TensorDescription& to, const TensorRecord& from, PlaneKind kind, const TakeStored& take) const {
    const PlaneCodec target(to, kind);
    if (from.plane(kind) == nullptr) {
      return target.write(
          [&](const PlaneRegion& region, std::span<std::byte> out) {
            target.symmetric_zeros(region, out);
            return Status();
          },
          take, kRegionBytes);
    }
    const PlaneCodec source(from.description, kind);
    return target.write([&](const PlaneRegion& region,
                            std::span<std::byte> out) { return reader_.read_region(from, kind, source, region, out); },
                        take, kRegionBytes, source.step());
  }

  template <typename Use>
  Status each_piece(const PlaneRecord& plane, const Use& use) const {
    std::vector<std::byte> piece;
    for (uint64_t done = 0; done < plane.size; done += piece.size()) {
      piece.resize(std::min(kCopyBytes, plane.size - done));
      SCROOGE_RETURN_IF_ERROR(reader_.read_stored(plane, done, piece));
      SCROOGE_RETURN_IF_ERROR(use(std::span<const std::byte>(piece)));
    }
    return {};
  }

  // The plane goes only where it says nothing.
  Status check_symmetric(const TensorRecord& tensor) const {
    return each_piece(*tensor.plane(PlaneKind::kZeros), [&](std::span<const std::byte> bytes) -> Status {
      if (std::all_of(bytes.begin(), bytes.end(), [](std::byte pair) { return pair == std::byte{0x88}; })) return {};
      return error(StatusCode::kBadModelFile, reader_.path(), ": tensor \"", printable(tensor.description.name),
                   "\" says that it is symmetric, but has zeros other than 8; keep it in the awq layout");
    });
  }

  const ModelReader& reader_;
  const std::string layout_;
  const CheckProgress& progress_;
  ModelInfo info_;
  std::vector<SegmentPlan> segments_;
  std::vector<std::vector<const TensorRecord*>> sources_;  // of the tensors of each segment
  uint64_t total_ = 0;                                     // bytes to read and to write
  RepackSummary summary_;
};

}  // namespace

Result<RepackSummary> repack(const std::string& input, const std::string& output, std::string_view layout,
                             const CheckProgress& progress) {
  SCROOGE_RETURN_IF_ERROR(find_layout(layout, {}).status());
  SCROOGE_ASSIGN_OR_RETURN(const ModelReader reader, ModelReader::open(input));
  if (is_same_file(input, output)) {
    return error(StatusCode::kInputIsOutput, output, ": is the input itself; choose another output");
  }
  Repack job(reader, layout, progress);
  SCROOGE_RETURN_IF_ERROR(job.plan());
  SCROOGE_RETURN_IF_ERROR(AtomicFile::check_writable(output));
  SCROOGE_RETURN_IF_ERROR(job.check());
  SCROOGE_ASSIGN_OR_RETURN(ModelWriter writer, ModelWriter::create(output, reader.superblock().alignment));
  return job.write(writer);
}

}  // namespace scrooge::container
