// SPDX-License-Identifier: Apache-2.0
#include "src/container/metadata_check.h"

#include <algorithm>
#include <string_view>

#include "src/base/checked_size.h"
#include "src/container/plane_geometry.h"
#include "src/container/text_check.h"

namespace scrooge::container {
namespace {

// A range with the words that name it in a message.
struct NamedRange {
  uint64_t offset = 0;
  uint64_t size = 0;
  uint64_t tail = 0;  // zero bytes that must follow
  std::string_view what;
  std::string_view name;
};

class MetadataCheck {
 public:
  MetadataCheck(const ModelMetadata& metadata, const Superblock& superblock, const std::string& path)
      : metadata_(metadata), superblock_(superblock), path_(path) {}

  Status run() const {
    if (metadata_.version_major != superblock_.version_major || metadata_.version_minor != superblock_.version_minor) {
      return fail("index version ", metadata_.version_major, ".", metadata_.version_minor, " is not the superblock's ",
                  superblock_.version_major, ".", superblock_.version_minor);
    }
    SCROOGE_RETURN_IF_ERROR(check_info(metadata_.info, path_));
    if (has_layouts(metadata_) && (metadata_.info.required_features & kFeatureLayouts) == 0) {
      return fail("required_features does not tell of its device layouts, so that older readers would misread it");
    }
    SCROOGE_RETURN_IF_ERROR(check_segments());
    SCROOGE_RETURN_IF_ERROR(check_tensors());
    SCROOGE_RETURN_IF_ERROR(check_scale_tensors());
    return check_plane_overlap();
  }

 private:
  template <typename... Parts>
  Status fail(const Parts&... parts) const {
    return error(StatusCode::kBadModelFile, path_, ": ", parts...);
  }

  // The names must be distinct; sorted, so that a million of them stay cheap.
  Status check_unique(std::vector<std::string_view> names, std::string_view what) const {
    std::sort(names.begin(), names.end());
    const auto twice = std::adjacent_find(names.begin(), names.end());
    if (twice != names.end()) return fail(what, " \"", printable(*twice), "\" is there twice");
    return {};
  }

  // Sorts and checks that nothing touches what came before; sizes were checked to lie inside the file.
  Status check_disjoint(std::vector<NamedRange>& ranges) const {
    std::sort(ranges.begin(), ranges.end(), [](const NamedRange& a, const NamedRange& b) {
      return a.offset != b.offset ? a.offset < b.offset : a.size < b.size;
    });
    for (size_t i = 1; i < ranges.size(); ++i) {
      const NamedRange& before = ranges[i - 1];
      const CheckedSize end = CheckedSize(before.offset) + before.size + before.tail;
      if (!end.fits_in(ranges[i].offset)) {
        return fail(ranges[i].what, " \"", printable(ranges[i].name), "\" at byte ", ranges[i].offset,
                    " overlaps or comes too close to ", before.what, " \"", printable(before.name), "\" at byte ",
                    before.offset);
      }
    }
    return {};
  }

  Status check_segments() const {
    std::vector<std::string_view> names;
    std::vector<NamedRange> ranges = {{0, superblock_.size, 0, "the", "superblock"},
                                      {superblock_.meta_offset, superblock_.meta_size, 0, "the", "index"}};
    for (const SegmentRecord& segment : metadata_.segments) {
      if (segment.name.empty() || !is_storable_text(segment.name)) {
        return fail("segment ", names.size(), " has no usable name");
      }
      const std::string name = printable(segment.name);
      if (!is_known(segment.kind)) {
        return fail("segment \"", name, "\": kind ", static_cast<int>(segment.kind), " is unknown");
      }
      if (segment.offset % superblock_.alignment.segment() != 0) {
        return fail("segment \"", name, "\": offset ", segment.offset, " is not on the segment alignment");
      }
      const CheckedSize with_tail = CheckedSize(segment.size) + kSegmentTailBytes;
      if (!CheckedSize(segment.offset).range_fits(with_tail, superblock_.file_size)) {
        return fail("segment \"", name, "\": ", segment.size, " bytes at ", segment.offset,
                    " and the zero tail do not lie inside the file of ", superblock_.file_size, " bytes");
      }
      names.push_back(segment.name);
      ranges.push_back({segment.offset, segment.size, kSegmentTailBytes, "segment", segment.name});
    }
    SCROOGE_RETURN_IF_ERROR(check_unique(std::move(names), "segment"));
    SCROOGE_RETURN_IF_ERROR(check_disjoint(ranges));
    const CheckedSize end = CheckedSize(ranges.back().offset) + ranges.back().size + ranges.back().tail;
    if (end.align_up(superblock_.alignment.segment()).value_or(0) != superblock_.file_size) {
      return fail("file_size ", superblock_.file_size, " is not where the last segment or the index ends");
    }
    return {};
  }

  Status check_tensors() const {
    if (metadata_.tensors.size() > kMaxTensors) return fail("there are more than ", kMaxTensors, " tensors");
    std::vector<std::string_view> names;
    for (const TensorRecord& tensor : metadata_.tensors) {
      SCROOGE_RETURN_IF_ERROR(check_tensor(tensor));
      names.push_back(tensor.description.name);
    }
    return check_unique(std::move(names), "tensor");
  }

  Status check_tensor(const TensorRecord& tensor) const {
    const auto geometry = plane_geometry(tensor.description);
    if (!geometry.ok()) return fail(geometry.status().message());
    const std::string name = printable(tensor.description.name);
    if (geometry->size() != tensor.planes.size()) {
      return fail("tensor \"", name, "\" has ", tensor.planes.size(), " planes instead of ", geometry->size());
    }
    for (size_t i = 0; i < geometry->size(); ++i) {
      if (Status status = check_plane(tensor.planes[i], (*geometry)[i]); !status.ok()) {
        return fail("tensor \"", name, "\", plane ", plane_kind_name((*geometry)[i].kind), ": ", status.message());
      }
    }
    return {};
  }

  // The message is completed by check_tensor.
  Status check_plane(const PlaneRecord& plane, const PlaneGeometry& expected) const {
    const auto wrong = [](const auto&... parts) { return error(StatusCode::kBadModelFile, parts...); };
    if (plane.kind != expected.kind) return wrong("found kind ", static_cast<int>(plane.kind), " in its place");
    if (plane.row_bytes != expected.row_bytes) {
      return wrong("row_bytes is ", plane.row_bytes, ", but the shape gives ", expected.row_bytes);
    }
    if (plane.size != expected.size) return wrong("size is ", plane.size, ", but the shape gives ", expected.size);
    if (plane.offset % superblock_.alignment.plane() != 0) {
      return wrong("offset ", plane.offset, " is not on the plane alignment");
    }
    if (plane.segment >= metadata_.segments.size()) return wrong("segment ", plane.segment, " is not there");
    const SegmentRecord& segment = metadata_.segments[plane.segment];
    if (is_blob(segment.kind)) return wrong("lies in the raw segment \"", printable(segment.name), "\"");
    const CheckedSize inside = CheckedSize(plane.offset) - segment.offset;
    if (!inside.range_fits(plane.size, segment.size)) {
      return wrong(plane.size, " bytes at ", plane.offset, " do not lie inside segment \"", printable(segment.name),
                   "\"");
    }
    return {};
  }

  Status check_scale_tensors() const {
    std::vector<std::string_view> auxiliary;
    for (const TensorRecord& tensor : metadata_.tensors) {
      if (tensor.description.kind == TensorKind::kAuxiliary) auxiliary.push_back(tensor.description.name);
    }
    std::sort(auxiliary.begin(), auxiliary.end());
    for (const BlockReport& block : metadata_.info.blocks) {
      for (const ScaleSetReport& set : block.scale_sets) {
        if (set.scale_tensor.empty()) continue;
        if (!std::binary_search(auxiliary.begin(), auxiliary.end(), std::string_view(set.scale_tensor))) {
          return fail("block ", block.index, ", scale set \"", printable(set.name), "\": scale_tensor \"",
                      printable(set.scale_tensor), "\" is not an auxiliary tensor of this file");
        }
      }
    }
    return {};
  }

  Status check_plane_overlap() const {
    std::vector<NamedRange> ranges;
    for (const TensorRecord& tensor : metadata_.tensors) {
      for (const PlaneRecord& plane : tensor.planes) {
        ranges.push_back({plane.offset, plane.size, 0, "a plane of tensor", tensor.description.name});
      }
    }
    return check_disjoint(ranges);
  }

  const ModelMetadata& metadata_;
  const Superblock& superblock_;
  const std::string& path_;
};

}  // namespace

Status check_metadata(const ModelMetadata& metadata, const Superblock& superblock, const std::string& path) {
  return MetadataCheck(metadata, superblock, path).run();
}

std::vector<UsedRange> used_ranges(const ModelMetadata& metadata, const Superblock& superblock) {
  std::vector<UsedRange> ranges = {{0, superblock.size}, {superblock.meta_offset, superblock.meta_size}};
  for (const SegmentRecord& segment : metadata.segments) {
    if (is_blob(segment.kind)) ranges.push_back({segment.offset, segment.size});
  }
  for (const TensorRecord& tensor : metadata.tensors) {
    for (const PlaneRecord& plane : tensor.planes) ranges.push_back({plane.offset, plane.size});
  }
  std::sort(ranges.begin(), ranges.end(), [](const UsedRange& a, const UsedRange& b) { return a.offset < b.offset; });
  return ranges;
}

}  // namespace scrooge::container
