// SPDX-License-Identifier: Apache-2.0
// A file that appears under its name only when it is complete and durable: temporary name in the same folder, fsync,
// rename, fsync of the folder. Until commit() the old file, if any, stays as it was.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "src/base/random_file.h"

namespace scrooge {

// Movable, not copyable; one thread at a time.
class AtomicFile {
 public:
  AtomicFile() = default;
  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile& operator=(AtomicFile&& other) noexcept;
  ~AtomicFile();  // removes the temporary file unless committed or kept

  // Creates "PATH.tmp-XXXXXX" beside `path`. kNotFound when the folder is missing, kPermissionDenied, kNoSpace,
  // kInvalidArgument when `path` is a folder.
  static Result<AtomicFile> create(const std::string& path);
  // The same under the fixed name "PATH.partial", which a later process can find again: resume() opens it where it was
  // left (kNotFound when there is none), create_partial() replaces it.
  static Result<AtomicFile> create_partial(const std::string& path);
  static Result<AtomicFile> resume_partial(const std::string& path);
  static std::string partial_name(const std::string& path) { return path + ".partial"; }
  // Whether an uncommitted file is left behind under its temporary name; at first only one that was there before.
  void keep(bool kept) { kept_ = kept; }
  // Whether create() would work, leaving nothing behind.
  static Status check_writable(const std::string& path);

  const std::string& path() const { return path_; }
  Status write_at(uint64_t offset, std::span<const std::byte> bytes) { return file_.write_at(offset, bytes); }
  // Reads back what was written (for checksums over streamed data). A short file is kIoError.
  Status read_at(uint64_t offset, std::span<std::byte> bytes) const { return file_.read_at(offset, bytes); }
  Result<uint64_t> size() const { return file_.size(); }
  // Reserves disk space up front so that a full disk is found before the work; kNoSpace names the bytes needed.
  Status reserve(uint64_t bytes) { return file_.reserve(bytes, "the output"); }
  // As RandomFile's.
  Status write_out(uint64_t offset, uint64_t bytes, const std::function<Status()>& tick) const {
    return file_.write_out(offset, bytes, tick);
  }
  void drop_cached(uint64_t offset, uint64_t bytes) const { file_.drop_cached(offset, bytes); }
  // Makes everything written so far durable, still under the temporary name.
  Status sync() { return file_.sync(); }
  // Cuts the file to `size`, syncs, renames over `path`, syncs the folder. After an error the old file is intact; only
  // when it was the last step that failed is the new one there, complete.
  Status commit(uint64_t size);

 private:
  template <typename Open>
  static Result<AtomicFile> around(const std::string& path, bool kept, const Open& open);
  void discard();

  std::string path_;
  RandomFile file_;
  bool kept_ = false;
};

// Writes a whole small file atomically (reports, JSON).
Status write_file_atomically(const std::string& path, std::string_view content);

// True when both paths name the same existing file (device and inode), links followed.
bool is_same_file(const std::string& a, const std::string& b);

}  // namespace scrooge
