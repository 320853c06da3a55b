// SPDX-License-Identifier: Apache-2.0
#include "src/base/disk_space.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <cerrno>

#include "src/base/checked_size.h"
#include "src/base/file_map.h"
#include "src/base/random_file.h"
#include "src/base/uninterrupted.h"

namespace scrooge {

Result<DiskSpace> disk_space(const std::string& folder) {
  struct stat info {};
  if (uninterrupted([&] { return ::stat(folder.c_str(), &info); }) != 0) return io_error(folder, "open", errno);
  if (!S_ISDIR(info.st_mode)) return error(StatusCode::kInvalidArgument, folder, ": not a folder");
  SCROOGE_RETURN_IF_ERROR(RandomFile::create_nameless(folder).status());
  DiskSpace space;
  space.file_system = static_cast<uint64_t>(info.st_dev);
  struct statvfs found {};
  // Some file systems, of networks mostly, say that they have no blocks at all.
  if (uninterrupted([&] { return ::statvfs(folder.c_str(), &found); }) == 0 && found.f_blocks > 0) {
    const CheckedSize free = CheckedSize(uint64_t{found.f_bavail}) * uint64_t{found.f_frsize};
    if (free.fits_in(INT64_MAX)) space.free = free.value();
  }
  return space;
}

uint64_t disk_bytes_of(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) ? static_cast<uint64_t>(info.st_blocks) * 512 : 0;
}

}  // namespace scrooge
