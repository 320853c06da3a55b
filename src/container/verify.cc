// SPDX-License-Identifier: Apache-2.0
#include "src/container/verify.h"

#include "src/container/model_reader.h"

namespace scrooge::container {

Result<VerifySummary> verify(const std::string& path, const CheckProgress& progress) {
  SCROOGE_ASSIGN_OR_RETURN(const ModelReader reader, ModelReader::open(path, OpenLevel::kStructure));
  const ModelMetadata& metadata = reader.metadata();
  SCROOGE_RETURN_IF_ERROR(check_payload(reader.file(), metadata, reader.superblock(), progress));
  VerifySummary summary;
  summary.tensors = metadata.tensors.size();
  for (const TensorRecord& tensor : metadata.tensors) {
    if (tensor.description.kind == TensorKind::kQuantized) ++summary.quantized_tensors;
    summary.planes += tensor.planes.size();
  }
  for (const SegmentRecord& segment : metadata.segments) {
    if (is_blob(segment.kind)) ++summary.raw_segments;
  }
  summary.bytes_checked = reader.superblock().file_size;
  summary.bits_per_weight = bits_per_weight(metadata);
  return summary;
}

}  // namespace scrooge::container
