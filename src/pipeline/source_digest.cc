// SPDX-License-Identifier: Apache-2.0
#include "src/pipeline/source_digest.h"

#include <algorithm>

#include "src/base/digest.h"
#include "src/base/file_map.h"

namespace scrooge::pipeline {

Result<std::vector<container::Source>> digest_sources(const ModelSource& source, const std::function<Status()>& tick) {
  constexpr uint64_t kPiece = 1 << 20;
  std::vector<container::Source> result;
  std::vector<std::byte> buffer(kPiece);
  for (const SourceFile& file : source.files()) {
    SCROOGE_ASSIGN_OR_RETURN(const FileMap map, FileMap::open(file.path));
    Sha256 digest;
    for (uint64_t offset = 0; offset < map.size(); offset += kPiece) {
      const std::span piece(buffer.data(), static_cast<size_t>(std::min(kPiece, map.size() - offset)));
      SCROOGE_RETURN_IF_ERROR(map.read(offset, piece));
      digest.update(piece);
      SCROOGE_RETURN_IF_ERROR(tick());
    }
    result.push_back({file.path.substr(file.path.rfind('/') + 1), map.size(), digest.finish()});
  }
  return result;
}

}  // namespace scrooge::pipeline
