// SPDX-License-Identifier: Apache-2.0
// Read-only memory maps of input files, with page hints. The only places that know the operating system's file calls
// are this file, random_file.h and atomic_file.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "src/base/cancel.h"
#include "src/base/result.h"

namespace scrooge {

// What a file was when it was opened: enough to see that it was replaced, truncated or rewritten since.
struct FileIdentity {
  uint64_t device = 0;
  uint64_t inode = 0;
  uint64_t size = 0;
  int64_t modified_ns = 0;
  int64_t changed_ns = 0;  // as modified_ns, but nobody can set it back
  uint64_t links = 0;
  uint64_t mode = 0;
  uint64_t owner = 0;  // and group
  // The same file with the same bytes. A backup that links to it or a change of its rights also moves changed_ns; where
  // one of those explains it, modified_ns tells whether anything was written.
  bool holds_the_same_as(const FileIdentity& later) const;
};

// Movable, not copyable. Const members are safe from several threads.
class FileMap {
 public:
  FileMap() = default;
  FileMap(FileMap&& other) noexcept;
  FileMap& operator=(FileMap&& other) noexcept;
  ~FileMap();

  // Maps a whole regular file. Errors name the path: kNotFound, kPermissionDenied, kIoError; a folder, pipe or device
  // is kInvalidArgument. An empty file maps to an empty span.
  static Result<FileMap> open(const std::string& path);
  // Takes over an open descriptor of a regular file; `path` is for messages.
  static Result<FileMap> from_descriptor(int descriptor, const std::string& path);

  const std::string& path() const { return path_; }
  std::span<const std::byte> bytes() const { return {data_, size_}; }
  uint64_t size() const { return size_; }
  const FileIdentity& identity() const { return identity_; }

  // kSourceChanged when the file was written to, cut or touched since it was opened, or when its path leads to another
  // file now, or to none.
  Status check_unchanged() const;
  // Copies a range through pread, so that a file truncated meanwhile is kSourceChanged and not a bus error.
  // REQUIRES: the range lies inside the map.
  Status read(uint64_t offset, std::span<std::byte> out) const;
  // Hints; a range outside the file is cut. prefetch starts reading into the page cache in the background; drop gives
  // pages of the map back that bytes() made resident, and leaves the page cache, which the system takes when it needs
  // it and which a second pass wants.
  void prefetch(uint64_t offset, uint64_t length) const;
  void drop(uint64_t offset, uint64_t length) const;

 private:
  void close();

  std::string path_;
  int descriptor_ = -1;
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
  FileIdentity identity_;
  bool in_place_ = false;  // path_ led to the file when it was opened
};

// Whole small file (config, tokenizer, text list) as a string; kInvalidArgument when above `limit` bytes,
// kSourceChanged when it was written to while it was read, kCancelled.
Result<std::string> read_small_file(const std::string& path, uint64_t limit, CancelToken* cancel = nullptr);

// kNotFound, kPermissionDenied, kNoSpace, kOutOfMemory or kIoError from errno, with "PATH: cannot OPERATION: REASON".
Status io_error(const std::string& path, const char* operation, int error_number);

}  // namespace scrooge
