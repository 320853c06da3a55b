// SPDX-License-Identifier: Apache-2.0
#include "src/base/random_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include "src/base/file_map.h"
#include "src/base/uninterrupted.h"

namespace scrooge {

namespace {

// `pattern` ends in XXXXXX, which becomes the name; -1 and errno when there is none.
int create_random_name(std::string& pattern) {
  return uninterrupted([&] {
    pattern.replace(pattern.size() - 6, 6, "XXXXXX");
    return ::mkostemp(pattern.data(), O_CLOEXEC);
  });
}

}  // namespace

RandomFile::RandomFile(RandomFile&& other) noexcept { *this = std::move(other); }

RandomFile& RandomFile::operator=(RandomFile&& other) noexcept {
  if (this != &other) {
    close();
    path_ = std::move(other.path_);
    shown_ = std::move(other.shown_);
    descriptor_ = std::exchange(other.descriptor_, -1);
  }
  return *this;
}

void RandomFile::close() {
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
}

Result<RandomFile> RandomFile::open(const std::string& path, Mode mode) {
  int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW;
  if (mode != Mode::kExisting) flags |= O_CREAT;
  if (mode == Mode::kReplace) flags |= O_TRUNC;
  RandomFile file;
  file.path_ = path;
  file.descriptor_ = uninterrupted([&] { return ::open(path.c_str(), flags, 0666); });
  if (file.descriptor_ < 0) return io_error(path, "open", errno);
  struct stat info {};
  if (::fstat(file.descriptor_, &info) != 0) return io_error(path, "examine", errno);
  if (!S_ISREG(info.st_mode)) return error(StatusCode::kInvalidArgument, path, ": not a regular file");
  return file;
}

Result<RandomFile> RandomFile::create_unique(const std::string& path) {
  RandomFile file;
  file.path_ = path + ".tmp-XXXXXX";
  file.shown_ = path;
  file.descriptor_ = create_random_name(file.path_);
  if (file.descriptor_ < 0) return io_error(path, "create", errno);
  // mkostemp makes the file private.
  const mode_t mask = ::umask(0);
  ::umask(mask);
  (void)::fchmod(file.descriptor_, 0666 & ~mask);
  return file;
}

Result<RandomFile> RandomFile::create_nameless(const std::string& folder) {
  RandomFile file;
  file.path_ = folder + "/scrooge-spill-XXXXXX";
#if defined(O_TMPFILE)
  file.descriptor_ = uninterrupted([&] { return ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600); });
#endif
  // Some file systems have no nameless files: a name for a moment.
  if (file.descriptor_ < 0) {
    file.descriptor_ = create_random_name(file.path_);
    if (file.descriptor_ < 0) return io_error(folder, "create a file in", errno);
    (void)::unlink(file.path_.c_str());
  }
  file.shown_ = folder;
  return file;
}

Status RandomFile::write_at(uint64_t offset, std::span<const std::byte> bytes) {
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t put =
        ::pwrite(descriptor_, bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return io_error(shown(), "write", errno);
    if (put == 0) return error(StatusCode::kIoError, shown(), ": nothing could be written at byte ", offset + done);
    done += static_cast<size_t>(put);
  }
  return {};
}

Status RandomFile::read_at(uint64_t offset, std::span<std::byte> bytes) const {
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t got =
        ::pread(descriptor_, bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return io_error(shown(), "read", errno);
    if (got == 0) return error(StatusCode::kIoError, shown(), ": ended at byte ", offset + done, " while reading back");
    done += static_cast<size_t>(got);
  }
  return {};
}

Result<uint64_t> RandomFile::size() const {
  struct stat info {};
  if (::fstat(descriptor_, &info) != 0) return io_error(shown(), "examine", errno);
  return static_cast<uint64_t>(info.st_size);
}

Status RandomFile::truncate(uint64_t size) {
  const int failed = uninterrupted([&] { return ::ftruncate(descriptor_, static_cast<off_t>(size)); });
  return failed == 0 ? Status() : io_error(shown(), "set the size of", errno);
}

Status RandomFile::reserve(uint64_t bytes, std::string_view what) {
  int failed = 0;
  do {
    failed = ::posix_fallocate(descriptor_, 0, static_cast<off_t>(bytes));
  } while (failed == EINTR);
  if (failed == ENOSPC || failed == EFBIG) {
    return error(StatusCode::kNoSpace, shown(), ": ", what, " needs ", format_bytes(bytes), " (", bytes, " bytes), ",
                 failed == EFBIG ? "more than a file may have here; raise the limit of the process (ulimit -f), or "
                                   "choose a folder on another file system"
                                 : "more than the disk has free; free some space or choose another folder");
  }
  if (failed != 0 && failed != EINVAL && failed != EOPNOTSUPP) return io_error(shown(), "preallocate", failed);
  return {};
}

// Not tried again after a failure: the system may have dropped the dirty pages and would report success.
Status RandomFile::sync() {
  const int failed = uninterrupted([&] { return ::fsync(descriptor_); });
  return failed == 0 ? Status() : io_error(shown(), "sync", errno);
}

void RandomFile::write_back(uint64_t offset, uint64_t bytes) const {
#if defined(__linux__)
  (void)::sync_file_range(descriptor_, static_cast<off_t>(offset), static_cast<off_t>(bytes), SYNC_FILE_RANGE_WRITE);
#endif
}

Status RandomFile::write_out(uint64_t offset, uint64_t bytes, const std::function<Status()>& tick) const {
  constexpr uint64_t kPiece = uint64_t{1} << 20;
  if (bytes <= kPiece) return tick();
  for (uint64_t done = 0; done < bytes; done += kPiece) {
    SCROOGE_RETURN_IF_ERROR(tick());
#if defined(__linux__)
    constexpr unsigned kFlags = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
    const int failed = uninterrupted([&] {
      return ::sync_file_range(descriptor_, static_cast<off_t>(offset + done),
                               static_cast<off_t>(std::min(kPiece, bytes - done)), kFlags);
    });
    if (failed != 0 && errno != EINVAL && errno != ESPIPE && errno != ENOSYS) return io_error(shown(), "write", errno);
#else
    (void)offset;
#endif
  }
  return {};
}

void RandomFile::drop_cached(uint64_t offset, uint64_t bytes) const {
#if defined(POSIX_FADV_DONTNEED)
  (void)::posix_fadvise(descriptor_, static_cast<off_t>(offset), static_cast<off_t>(bytes), POSIX_FADV_DONTNEED);
#else
  (void)offset;
  (void)bytes;
#endif
}

// Where a file system has no locks there is nothing to be guarded against.
bool RandomFile::try_lock() { return ::flock(descriptor_, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK; }

bool RandomFile::is_in_place() const {
  struct stat mine {};
  struct stat there {};
  return ::fstat(descriptor_, &mine) == 0 && ::stat(path_.c_str(), &there) == 0 && mine.st_dev == there.st_dev &&
         mine.st_ino == there.st_ino;
}

std::string folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Status sync_folder(const std::string& folder) {
  const int descriptor = uninterrupted([&] { return ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
  if (descriptor < 0) return io_error(folder, "open", errno);
  const int failed = uninterrupted([&] { return ::fsync(descriptor); }) != 0 ? errno : 0;
  ::close(descriptor);
  // Some file systems cannot sync a folder; the rename is then as durable as they make it.
  if (failed != 0 && failed != EINVAL && failed != ENOTSUP) return io_error(folder, "sync", failed);
  return {};
}

}  // namespace scrooge
