// SPDX-License-Identifier: Apache-2.0
#include "src/checkpoint/model_folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

#include "src/base/uninterrupted.h"

namespace scrooge::checkpoint {
namespace {

// Non-blocking, so that a pipe without a writer cannot hang the open; without effect on regular files.
constexpr int kOpenFlags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;

// Empty on failure, with errno set.
std::string resolve(const std::string& path) {
  const std::unique_ptr<char, void (*)(void*)> real(::realpath(path.c_str(), nullptr), ::free);
  return real ? std::string(real.get()) : std::string();
}

bool is_below(std::string_view path, std::string_view folder) {
  if (folder != "/" && !path.starts_with(folder)) return false;
  const std::string_view rest = path.substr(folder == "/" ? 0 : folder.size());
  return rest.size() > 1 && rest.front() == '/';
}

std::string_view parent_of(std::string_view path) { return path.substr(0, path.rfind('/')); }

Result<FileMap> map_regular(int descriptor, const std::string& path) {
  struct stat info {};
  if (::fstat(descriptor, &info) == 0 && !S_ISREG(info.st_mode)) {
    ::close(descriptor);
    return error(StatusCode::kBadCheckpoint, path, ": not a regular file; put the model's file there");
  }
  return FileMap::from_descriptor(descriptor, path);
}

}  // namespace

bool is_plain_file_name(std::string_view name) {
  return !name.empty() && name != "." && name != ".." &&
         name.find_first_of(std::string_view("/\\\0", 3)) == std::string_view::npos;
}

ModelFolder::ModelFolder(ModelFolder&& other) noexcept
    : path_(std::move(other.path_)), real_(std::move(other.real_)), descriptor_(std::exchange(other.descriptor_, -1)) {}

ModelFolder::~ModelFolder() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<ModelFolder> ModelFolder::open(const std::string& path) {
  ModelFolder folder;
  folder.path_ = path;
  while (folder.path_.size() > 1 && folder.path_.back() == '/') folder.path_.pop_back();
  folder.descriptor_ = uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_DIRECTORY); });
  if (folder.descriptor_ < 0) return io_error(path, "open folder", errno);
  folder.real_ = resolve(path);
  if (folder.real_.empty()) return io_error(path, "resolve", errno);
  return folder;
}

std::string ModelFolder::path_of(std::string_view name) const {
  return concat(path_, path_.ends_with('/') ? "" : "/", name);
}

bool ModelFolder::has(std::string_view name) const {
  struct stat info {};
  return ::fstatat(descriptor_, std::string(name).c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0;
}

std::vector<std::string> ModelFolder::names_ending_in(std::string_view suffix, size_t limit) const {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(::opendir(real_.c_str()), ::closedir);
  while (listing && names.size() < limit) {
    const dirent* entry = ::readdir(listing.get());
    if (entry == nullptr) break;
    if (std::string_view(entry->d_name).ends_with(suffix)) names.emplace_back(entry->d_name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

Result<FileMap> ModelFolder::open_file(std::string_view name) const {
  const std::string file(name);
  const int descriptor = uninterrupted([&] { return ::openat(descriptor_, file.c_str(), kOpenFlags); });
  if (descriptor >= 0) return map_regular(descriptor, path_of(name));
  if (errno == ELOOP) return open_link(file);
  // Sockets and devices without a driver.
  if (errno == ENXIO || errno == ENODEV) {
    return error(StatusCode::kBadCheckpoint, path_of(name), ": not a regular file; put the model's file there");
  }
  return io_error(path_of(name), "open", errno);
}

bool ModelFolder::may_hold(std::string_view resolved) const {
  if (is_below(resolved, real_)) return true;
  const std::string_view snapshots = parent_of(real_);
  // Spelled out, not resolved: a `blobs` that is itself a link would lead anywhere.
  return snapshots.ends_with("/snapshots") && is_below(resolved, concat(parent_of(snapshots), "/blobs"));
}

Result<FileMap> ModelFolder::open_link(const std::string& name) const {
  const std::string path = path_of(name);
  const std::string target = resolve(concat(real_, "/", name));
  if (target.empty()) {
    if (errno == ELOOP) return error(StatusCode::kBadCheckpoint, path, ": the link leads in a circle; replace it");
    return io_error(path, "follow link", errno);
  }
  if (!may_hold(target)) {
    return error(StatusCode::kBadCheckpoint, path, ": the link leads out of the model folder, to ", printable(target),
                 "; copy the file into the folder");
  }
  const int descriptor = uninterrupted([&] { return ::open(target.c_str(), kOpenFlags); });
  if (descriptor < 0) return io_error(path, "open", errno);
  // What was opened must still be what the checked name resolves to; a folder swapped in between shows here.
  struct stat opened {};
  struct stat named {};
  if (::fstat(descriptor, &opened) != 0 || ::lstat(target.c_str(), &named) != 0 || opened.st_dev != named.st_dev ||
      opened.st_ino != named.st_ino || resolve(target) != target) {
    ::close(descriptor);
    return error(StatusCode::kBadCheckpoint, path, ": the link was changed while it was opened; run again");
  }
  return map_regular(descriptor, path);
}

}  // namespace scrooge::checkpoint
