// SPDX-License-Identifier: Apache-2.0
// Opens the files of a model folder without ever leaving it, except through the links of a hub cache.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/file_map.h"
#include "src/base/result.h"

namespace scrooge::checkpoint {

// One component that names a file: not empty, ".", "..", no slash, backslash or NUL.
bool is_plain_file_name(std::string_view name);

// An open folder. Movable; const members are safe from several threads.
class ModelFolder {
 public:
  ModelFolder(ModelFolder&& other) noexcept;
  ModelFolder& operator=(ModelFolder&&) = delete;
  ~ModelFolder();

  // kNotFound or kPermissionDenied. The folder itself may be a link: the caller named it.
  static Result<ModelFolder> open(const std::string& path);

  const std::string& path() const { return path_; }
  std::string path_of(std::string_view name) const;

  // Opens the regular file `name`. A symbolic link is followed only when what it resolves to lies in this folder or,
  // when this is a hub snapshot ("<root>/snapshots/<revision>"), in "<root>/blobs". kNotFound when there is no such
  // file or the link dangles; kBadCheckpoint for any other link, a folder, pipe or device, or a file swapped meanwhile.
  // REQUIRES: is_plain_file_name(name).
  Result<FileMap> open_file(std::string_view name) const;
  // True when the name exists, whatever it is.
  bool has(std::string_view name) const;
  // Names of the entries that end in `suffix`, sorted; at most `limit`.
  std::vector<std::string> names_ending_in(std::string_view suffix, size_t limit) const;

 private:
  ModelFolder() = default;
  Result<FileMap> open_link(const std::string& name) const;
  bool may_hold(std::string_view resolved) const;

  std::string path_;  // as given
  std::string real_;  // resolved
  int descriptor_ = -1;
};

}  // namespace scrooge::checkpoint
