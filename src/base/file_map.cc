// SPDX-License-Identifier: Apache-2.0
#include "src/base/file_map.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "src/base/uninterrupted.h"

namespace scrooge {
namespace {

FileIdentity identity_of(const struct stat& info) {
  return {static_cast<uint64_t>(info.st_dev),
          static_cast<uint64_t>(info.st_ino),
          static_cast<uint64_t>(info.st_size),
          static_cast<int64_t>(info.st_mtim.tv_sec) * 1'000'000'000 + info.st_mtim.tv_nsec,
          static_cast<int64_t>(info.st_ctim.tv_sec) * 1'000'000'000 + info.st_ctim.tv_nsec,
          static_cast<uint64_t>(info.st_nlink),
          static_cast<uint64_t>(info.st_mode),
          static_cast<uint64_t>(info.st_uid) << 32 | static_cast<uint64_t>(info.st_gid)};
}

bool leads_to(const std::string& path, const FileIdentity& identity) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && static_cast<uint64_t>(info.st_dev) == identity.device &&
         static_cast<uint64_t>(info.st_ino) == identity.inode;
}

uint64_t page_size() {
  static const auto size = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  return size;
}

}  // namespace

bool FileIdentity::holds_the_same_as(const FileIdentity& later) const {
  const bool written = size != later.size || modified_ns != later.modified_ns;
  const bool explained = links != later.links || mode != later.mode || owner != later.owner;
  return device == later.device && inode == later.inode && !written && (changed_ns == later.changed_ns || explained);
}

Status io_error(const std::string& path, const char* operation, int error_number) {
  StatusCode code = StatusCode::kIoError;
  if (error_number == ENOENT || error_number == ENOTDIR) code = StatusCode::kNotFound;
  if (error_number == EACCES || error_number == EPERM || error_number == EROFS) code = StatusCode::kPermissionDenied;
  if (error_number == ENOSPC || error_number == EDQUOT || error_number == EFBIG) code = StatusCode::kNoSpace;
  if (error_number == ENOMEM) code = StatusCode::kOutOfMemory;
  char buffer[128] = "";
  // The GNU variant may return a static string instead of filling the buffer.
  const char* reason = ::strerror_r(error_number, buffer, sizeof buffer);
  return error(
      code, path, ": cannot ", operation, ": ", reason,
      error_number == EFBIG ? "; raise the limit of the process (ulimit -f), or choose another file system" : "");
}

FileMap::FileMap(FileMap&& other) noexcept { *this = std::move(other); }

FileMap& FileMap::operator=(FileMap&& other) noexcept {
  if (this != &other) {
    close();
    path_ = std::move(other.path_);
    descriptor_ = std::exchange(other.descriptor_, -1);
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
    identity_ = other.identity_;
    in_place_ = other.in_place_;
  }
  return *this;
}

FileMap::~FileMap() { close(); }

void FileMap::close() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
  if (descriptor_ >= 0) ::close(descriptor_);
  data_ = nullptr;
  descriptor_ = -1;
}

Result<FileMap> FileMap::open(const std::string& path) {
  // O_NONBLOCK: opening a pipe without a writer must not hang; it has no effect on regular files.
  const int descriptor = uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK); });
  if (descriptor < 0) return io_error(path, "open", errno);
  return from_descriptor(descriptor, path);
}

Result<FileMap> FileMap::from_descriptor(int descriptor, const std::string& path) {
  FileMap map;
  map.descriptor_ = descriptor;  // first, so that it is closed whatever follows
  map.path_ = path;
  struct stat info {};
  if (::fstat(descriptor, &info) != 0) return io_error(path, "stat", errno);
  if (!S_ISREG(info.st_mode)) return error(StatusCode::kInvalidArgument, path, ": not a regular file; give a file");
  map.identity_ = identity_of(info);
  map.in_place_ = leads_to(path, map.identity_);
  if (info.st_size > 0) {
    const auto size = static_cast<size_t>(info.st_size);
    void* data = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, descriptor, 0);
    if (data == MAP_FAILED) return io_error(path, "map", errno);
    map.data_ = static_cast<const std::byte*>(data);
    map.size_ = size;
  }
  return map;
}

Status FileMap::check_unchanged() const {
  struct stat info {};
  if (::fstat(descriptor_, &info) != 0) return io_error(path_, "stat", errno);
  if (!identity_.holds_the_same_as(identity_of(info))) {
    return error(StatusCode::kSourceChanged, path_,
                 ": the file was changed while it was in use; run again when nothing writes to it");
  }
  if (in_place_ && !leads_to(path_, identity_)) {
    return error(StatusCode::kSourceChanged, path_,
                 ": the file was replaced or removed while it was in use; run again when nothing writes to it");
  }
  return {};
}

Status FileMap::read(uint64_t offset, std::span<std::byte> out) const {
  size_t done = 0;
  while (done < out.size()) {
    const ssize_t got = ::pread(descriptor_, out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return io_error(path_, "read", errno);
    if (got == 0) {
      return error(StatusCode::kSourceChanged, path_, ": the file was cut short while it was read, before byte ",
                   offset + done + 1, "; put the whole file back and run again");
    }
    done += static_cast<size_t>(got);
  }
  return {};
}

void FileMap::prefetch(uint64_t offset, uint64_t length) const {
  if (offset >= size_) return;
  length = std::min<uint64_t>(length, size_ - offset);
  // The page cache is filled without touching the mapping, so nothing becomes resident in this process.
  (void)::posix_fadvise(descriptor_, static_cast<off_t>(offset), static_cast<off_t>(length), POSIX_FADV_WILLNEED);
}

void FileMap::drop(uint64_t offset, uint64_t length) const {
  if (offset >= size_) return;
  length = std::min<uint64_t>(length, size_ - offset);
  // Only whole pages inside the range: its neighbours may still be in use.
  const uint64_t page = page_size();
  const uint64_t begin = (offset + page - 1) / page * page;
  const uint64_t end = offset + length == size_ ? (size_ + page - 1) / page * page : (offset + length) / page * page;
  if (begin < end) (void)::madvise(const_cast<std::byte*>(data_) + begin, end - begin, MADV_DONTNEED);
}

Result<std::string> read_small_file(const std::string& path, uint64_t limit, CancelToken* cancel) {
  constexpr uint64_t kPiece = uint64_t{16} << 20;
  SCROOGE_ASSIGN_OR_RETURN(const FileMap map, FileMap::open(path));
  if (map.size() > limit) {
    return error(StatusCode::kInvalidArgument, path, ": ", map.size(), " bytes, above the limit of ", limit);
  }
  std::string content(map.size(), '\0');
  const std::span<std::byte> bytes = std::as_writable_bytes(std::span(content));
  for (uint64_t offset = 0; offset < map.size(); offset += kPiece) {
    SCROOGE_RETURN_IF_ERROR(check_cancelled(cancel));
    SCROOGE_RETURN_IF_ERROR(map.read(offset, bytes.subspan(offset, std::min(kPiece, map.size() - offset))));
  }
  SCROOGE_RETURN_IF_ERROR(map.check_unchanged());
  return content;
}

}  // namespace scrooge
