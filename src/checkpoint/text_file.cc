// SPDX-License-Identifier: Apache-2.0
#include "src/checkpoint/text_file.h"

namespace scrooge::checkpoint {

Result<TextFile> read_text_file(const ModelFolder& folder, std::string_view name, StatusCode too_large,
                                uint64_t limit) {
  SCROOGE_ASSIGN_OR_RETURN(const FileMap file, folder.open_file(name));
  if (file.size() > limit) {
    return error(too_large, file.path(), ": ", file.size(), " bytes, above the limit of ", limit,
                 "; this is not such a file");
  }
  TextFile text{std::string(file.size(), '\0'), file.path(), file.identity()};
  SCROOGE_RETURN_IF_ERROR(file.read(0, std::as_writable_bytes(std::span(text.content))));
  SCROOGE_RETURN_IF_ERROR(file.check_unchanged());
  return text;
}

Result<TextFile> read_optional_text_file(const ModelFolder& folder, std::string_view name, StatusCode too_large,
                                         uint64_t limit) {
  if (!folder.has(name)) return TextFile();
  return read_text_file(folder, name, too_large, limit);
}

}  // namespace scrooge::checkpoint
