// SPDX-License-Identifier: Apache-2.0
#include "src/base/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

#include "src/base/file_map.h"

namespace scrooge {
namespace {

std::string folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Status sync_folder(const std::string& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return io_error(folder, "open", errno);
  const int failed = ::fsync(descriptor) != 0 ? errno : 0;
  ::close(descriptor);
  // Some file systems cannot sync a folder; the rename is then as durable as they make it.
  if (failed != 0 && failed != EINVAL && failed != ENOTSUP) return io_error(folder, "sync", failed);
  return {};
}

}  // namespace

AtomicFile::AtomicFile(AtomicFile&& other) noexcept { *this = std::move(other); }

AtomicFile& AtomicFile::operator=(AtomicFile&& other) noexcept {
  if (this != &other) {
    discard();
    path_ = std::move(other.path_);
    temporary_ = std::move(other.temporary_);
    descriptor_ = std::exchange(other.descriptor_, -1);
  }
  return *this;
}

AtomicFile::~AtomicFile() { discard(); }

void AtomicFile::discard() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  descriptor_ = -1;
  (void)::unlink(temporary_.c_str());
}

Result<AtomicFile> AtomicFile::create(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode)) {
    return error(StatusCode::kInvalidArgument, path, ": not a regular file; give a file name for the output");
  }
  AtomicFile file;
  file.path_ = path;
  file.temporary_ = path + ".tmp-XXXXXX";
  file.descriptor_ = ::mkostemp(file.temporary_.data(), O_CLOEXEC);
  if (file.descriptor_ < 0) return io_error(path, "create", errno);
  // mkostemp makes the file private; an output has the permissions any new file would have.
  const mode_t mask = ::umask(0);
  ::umask(mask);
  (void)::fchmod(file.descriptor_, 0666 & ~mask);
  return file;
}

Status AtomicFile::check_writable(const std::string& path) { return create(path).status(); }

Status AtomicFile::write_at(uint64_t offset, std::span<const std::byte> bytes) {
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t put =
        ::pwrite(descriptor_, bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return io_error(path_, "write", errno);
    done += static_cast<size_t>(put);
  }
  return {};
}

Status AtomicFile::read_at(uint64_t offset, std::span<std::byte> bytes) const {
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t got =
        ::pread(descriptor_, bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return io_error(path_, "read", errno);
    if (got == 0) return error(StatusCode::kIoError, path_, ": ended at byte ", offset + done, " while reading back");
    done += static_cast<size_t>(got);
  }
  return {};
}

Status AtomicFile::reserve(uint64_t bytes) {
  const int failed = ::posix_fallocate(descriptor_, 0, static_cast<off_t>(bytes));
  if (failed == ENOSPC || failed == EFBIG) {
    return error(StatusCode::kNoSpace, path_, ": the output needs ", format_bytes(bytes), " (", bytes,
                 " bytes), more than the disk has free; free some space or choose another folder");
  }
  // File systems without preallocation find a full disk later, at the write.
  if (failed != 0 && failed != EINVAL && failed != EOPNOTSUPP) return io_error(path_, "preallocate", failed);
  return {};
}

Status AtomicFile::sync() { return ::fsync(descriptor_) == 0 ? Status() : io_error(path_, "sync", errno); }

Status AtomicFile::commit(uint64_t size) {
  if (::ftruncate(descriptor_, static_cast<off_t>(size)) != 0) return io_error(path_, "set the size of", errno);
  SCROOGE_RETURN_IF_ERROR(sync());
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) return io_error(path_, "rename to", errno);
  ::close(descriptor_);
  descriptor_ = -1;
  return sync_folder(folder_of(path_));
}

Status write_file_atomically(const std::string& path, std::string_view content) {
  SCROOGE_ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::create(path));
  SCROOGE_RETURN_IF_ERROR(file.write_at(0, std::as_bytes(std::span(content))));
  return file.commit(content.size());
}

bool is_same_file(const std::string& a, const std::string& b) {
  struct stat first {};
  struct stat second {};
  return ::stat(a.c_str(), &first) == 0 && ::stat(b.c_str(), &second) == 0 && first.st_dev == second.st_dev &&
         first.st_ino == second.st_ino;
}

}  // namespace scrooge
