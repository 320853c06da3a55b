// SPDX-License-Identifier: Apache-2.0
#include "tests/faults/disk_shadow.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <set>
#include <string>

namespace scrooge::faults {
namespace {

// Those of the C library: the shim's own would count.
template <typename Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

int open_file(const std::string& path, int flags) {
  static auto* const next = real<int(const char*, int, ...)>("open");
  return next(path.c_str(), flags | O_CLOEXEC, 0600);
}

const std::string& shadow() {
  static const std::string path = std::getenv("SCROOGE_FAULT_DISK") == nullptr ? "" : std::getenv("SCROOGE_FAULT_DISK");
  return path;
}

const std::string& folder() {
  static const std::string path = shadow().empty() ? "" : std::getenv("SCROOGE_FAULT_DISK_OF");
  return path;
}

// Replaced as a whole: the process may be killed while it is written.
void write_new(const std::string& name, const std::string& bytes) {
  static auto* const next_write = real<ssize_t(int, const void*, size_t)>("write");
  static auto* const next_rename = real<int(const char*, const char*)>("rename");
  const std::string path = shadow() + "/" + name;
  const int file = open_file(path + ".new", O_WRONLY | O_CREAT | O_TRUNC);
  if (file < 0 || next_write(file, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) ::abort();
  ::close(file);
  next_rename((path + ".new").c_str(), path.c_str());
}

// A number is not given to another file while this process lives: the descriptor stays open.
void keep_number(const std::string& path, ino_t inode) {
  static std::set<ino_t>* const kept = new std::set<ino_t>;
  if (kept->insert(inode).second) (void)open_file(path, O_RDONLY);
}

void copy_file(const std::string& path, const struct stat& info) {
  static auto* const next = real<ssize_t(int, void*, size_t, off_t)>("pread");
  std::string bytes(static_cast<size_t>(info.st_size), '\0');
  const int file = open_file(path, O_RDONLY);
  if (file < 0 || next(file, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) ::abort();
  ::close(file);
  write_new(std::to_string(info.st_ino), bytes);
  keep_number(path, info.st_ino);
}

// Calls visit(path, name, info) for the files there.
template <typename Visit>
void for_each_file(const Visit& visit) {
  DIR* const entries = ::opendir(folder().c_str());
  if (entries == nullptr) return;
  while (const dirent* const entry = ::readdir(entries)) {
    const std::string path = folder() + "/" + entry->d_name;
    struct stat info {};
    if (::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode)) visit(path, entry->d_name, info);
  }
  ::closedir(entries);
}

void copy_names() {
  std::string names;
  for_each_file([&](const std::string& path, const char* name, const struct stat& info) {
    names += std::to_string(info.st_ino) + " " + name + "\n";
    keep_number(path, info.st_ino);
  });
  write_new("names", names);
}

}  // namespace

void begin_disk_shadow() {
  if (shadow().empty()) return;
  for_each_file([](const std::string& path, const char*, const struct stat& info) { copy_file(path, info); });
  copy_names();
}

void shadow_sync(int descriptor) {
  if (shadow().empty()) return;
  const int saved = errno;
  struct stat of {};
  struct stat info {};
  if (::stat(folder().c_str(), &of) == 0 && ::fstat(descriptor, &info) == 0) {
    if (S_ISDIR(info.st_mode) && info.st_ino == of.st_ino) copy_names();
    if (S_ISREG(info.st_mode) && info.st_nlink > 0) copy_file("/proc/self/fd/" + std::to_string(descriptor), info);
  }
  errno = saved;
}

}  // namespace scrooge::faults
