// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>

#include <algorithm>
#include <cstring>

#include "src/container/format.h"
#include "src/pipeline/checkpoint_source.h"
#include "src/pipeline/container_source.h"

namespace scrooge::pipeline {

Result<std::unique_ptr<ModelSource>> ModelSource::open(const std::string& path, const LogSink& log) {
  if (path.empty())
    return error(StatusCode::kInvalidArgument, "model: no path given; give a folder, GGUF or .scrooge file");
  struct stat info {};
  if (::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode)) {
    SCROOGE_ASSIGN_OR_RETURN(FileMap file, FileMap::open(path));
    std::array<std::byte, container::kMagic.size()> magic{};
    if (file.size() >= magic.size()) {
      SCROOGE_RETURN_IF_ERROR(file.read(0, magic));
      if (std::memcmp(magic.data(), container::kMagic.data(), magic.size()) == 0) {
        return ContainerSource::open(std::move(file), log);
      }
    }
  }
  return CheckpointSource::open(path, log);
}

}  // namespace scrooge::pipeline
