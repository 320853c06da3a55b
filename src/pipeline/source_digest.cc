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
    auto opened = FileMap::open(file.path);
    const bool gone = !opened.ok() && opened.status().code() == StatusCode::kNotFound;
    if (gone || (opened.ok() && !file.identity.holds_the_same_as(opened->identity()))) {
      return error(StatusCode::kSourceChanged, file.path,
                   ": the file was changed, replaced or removed since it was opened; run again when nothing writes to "
                   "it");
    }
    if (!opened.ok()) return opened.status();
    const FileMap& map = *opened;
    Sha256 digest;
    for (uint64_t offset = 0; offset < map.size(); offset += kPiece) {
      const std::span piece(buffer.data(), static_cast<size_t>(std::min(kPiece, map.size() - offset)));
      SCROOGE_RETURN_IF_ERROR(map.read(offset, piece));
      digest.update(piece);
      SCROOGE_RETURN_IF_ERROR(tick());
    }
    SCROOGE_RETURN_IF_ERROR(map.check_unchanged());
    result.push_back({file.path.substr(file.path.rfind('/') + 1), map.size(), digest.finish()});
  }
  return result;
}

}  // namespace scrooge::pipeline
