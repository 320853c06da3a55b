// SPDX-License-Identifier: Apache-2.0
#include "src/container/layout_plan.h"

#include "src/container/layout_cursor.h"
#include "src/container/metadata_codec.h"
#include "src/container/plane_geometry.h"

namespace scrooge::container {
namespace {

Status plan_tensor(const TensorDescription& description, uint32_t segment, LayoutCursor& cursor,
                   ModelMetadata& metadata) {
  SCROOGE_ASSIGN_OR_RETURN(const auto planes, plane_geometry(description));
  TensorRecord record;
  record.description = description;
  for (const PlaneGeometry& plane : planes) {
    const CheckedSize offset = cursor.place(plane.size);
    record.planes.push_back({plane.kind, segment, offset.value_or(0), plane.size, 0, plane.row_bytes});
  }
  metadata.tensors.push_back(std::move(record));
  return {};
}

}  // namespace

Result<LayoutPlan> plan_layout(std::span<const SegmentPlan> segments, const ModelInfo& info, Alignment alignment) {
  if (!alignment.valid()) return error(StatusCode::kInvalidArgument, "the segment or plane alignment is out of range");
  LayoutPlan plan;
  plan.metadata.info = info;
  LayoutCursor cursor(alignment);
  for (const SegmentPlan& segment : segments) {
    const CheckedSize offset = cursor.next_segment();
    const auto index = static_cast<uint32_t>(plan.metadata.segments.size());
    for (const TensorDescription& tensor : segment.tensors) {
      SCROOGE_RETURN_IF_ERROR(plan_tensor(tensor, index, cursor, plan.metadata));
    }
    if (is_blob(segment.kind)) (void)cursor.place(segment.blob_bytes);
    plan.metadata.segments.push_back(
        {segment.name, segment.kind, offset.value_or(0), (cursor.end() - offset).value_or(0), 0});
  }
  settle_features(plan.metadata);
  SCROOGE_ASSIGN_OR_RETURN(const auto index_bytes, encode_metadata(plan.metadata));
  const CheckedSize meta_offset = cursor.next_segment();
  (void)cursor.place(index_bytes.size());
  const CheckedSize file_size = cursor.end().align_up(alignment.segment());
  if (!file_size.fits_in(INT64_MAX)) {
    return error(StatusCode::kInvalidArgument, "the planned output is larger than a file can be");
  }
  plan.meta_offset = meta_offset.value();
  plan.meta_size = index_bytes.size();
  plan.file_size = file_size.value();
  return plan;
}

Result<uint64_t> planned_size(std::span<const SegmentPlan> segments, const ModelInfo& info, Alignment alignment) {
  SCROOGE_ASSIGN_OR_RETURN(const LayoutPlan plan, plan_layout(segments, info, alignment));
  return plan.file_size;
}

}  // namespace scrooge::container
