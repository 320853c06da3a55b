// SPDX-License-Identifier: Apache-2.0
#include "src/base/atomic_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "src/base/file_map.h"
#include "src/base/uninterrupted.h"

namespace scrooge {
namespace {

Status require_file_name(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode)) {
    return error(StatusCode::kInvalidArgument, path, ": not a regular file; give a file name for the output");
  }
  return {};
}

}  // namespace

AtomicFile::AtomicFile(AtomicFile&& other) noexcept { *this = std::move(other); }

AtomicFile& AtomicFile::operator=(AtomicFile&& other) noexcept {
  if (this != &other) {
    discard();
    path_ = std::move(other.path_);
    file_ = std::move(other.file_);
    kept_ = other.kept_;
  }
  return *this;
}

AtomicFile::~AtomicFile() { discard(); }

void AtomicFile::discard() {
  if (!file_.is_open()) return;
  file_.close();
  if (!kept_) (void)::unlink(file_.path().c_str());
}

// `open` gives the temporary file, which is the result's from its first moment on.
template <typename Open>
Result<AtomicFile> AtomicFile::around(const std::string& path, bool kept, const Open& open) {
  SCROOGE_RETURN_IF_ERROR(require_file_name(path));
  AtomicFile result;
  result.path_ = path;
  result.kept_ = kept;
  SCROOGE_ASSIGN_OR_RETURN(result.file_, open());
  result.file_.set_shown_name(path);
  return result;
}

Result<AtomicFile> AtomicFile::create(const std::string& path) {
  return around(path, false, [&] { return RandomFile::create_unique(path); });
}

Result<AtomicFile> AtomicFile::create_partial(const std::string& path) {
  return around(path, false, [&] { return RandomFile::open(partial_name(path), RandomFile::Mode::kReplace); });
}

Result<AtomicFile> AtomicFile::resume_partial(const std::string& path) {
  return around(path, true, [&] { return RandomFile::open(partial_name(path), RandomFile::Mode::kExisting); });
}

// By a file without a name, which not even a kill leaves behind.
Status AtomicFile::check_writable(const std::string& path) {
  SCROOGE_RETURN_IF_ERROR(require_file_name(path));
  return RandomFile::create_nameless(folder_of(path)).status();
}

Status AtomicFile::commit(uint64_t size) {
  SCROOGE_RETURN_IF_ERROR(file_.truncate(size));
  SCROOGE_RETURN_IF_ERROR(sync());
  if (uninterrupted([&] { return std::rename(file_.path().c_str(), path_.c_str()); }) != 0)
    return io_error(path_, "rename to", errno);
  file_.close();
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
