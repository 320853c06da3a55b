// SPDX-License-Identifier: Apache-2.0
// A file read and written at offsets: interrupted and short calls are continued, errors name file and remedy.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "src/base/result.h"

namespace scrooge {

// Movable, closes on destruction. Several threads may read and write different places at once.
class RandomFile {
 public:
  RandomFile() = default;
  RandomFile(RandomFile&& other) noexcept;
  RandomFile& operator=(RandomFile&& other) noexcept;
  ~RandomFile() { close(); }

  enum class Mode { kExisting, kCreate, kReplace };
  // A symbolic link under the name is refused. kNotFound (kExisting only), kPermissionDenied, kNoSpace, kIoError.
  static Result<RandomFile> open(const std::string& path, Mode mode);
  // An empty file of a new name, "PATH.tmp-" and random letters, with the permissions of any new file. Messages show
  // PATH.
  static Result<RandomFile> create_unique(const std::string& path);
  // In `folder`, without a name from the start or from here on: gone when closed, whatever ends the process.
  static Result<RandomFile> create_nameless(const std::string& folder);

  bool is_open() const { return descriptor_ >= 0; }
  const std::string& path() const { return path_; }
  // In messages, for a file that has another name to its user.
  void set_shown_name(std::string name) { shown_ = std::move(name); }

  Status write_at(uint64_t offset, std::span<const std::byte> bytes);
  // kIoError when the file ends before.
  Status read_at(uint64_t offset, std::span<std::byte> bytes) const;
  Result<uint64_t> size() const;
  Status truncate(uint64_t size);
  // Reserves disk space, so that a full disk is found before the work: kNoSpace names `what` and the bytes needed.
  // File systems without preallocation find out at the write.
  Status reserve(uint64_t bytes, std::string_view what);
  Status sync();
  // Starts writing these bytes back; a hint, without errors.
  void write_back(uint64_t offset, uint64_t bytes) const;
  // Writes them back piece by piece, so that a sync() that follows takes little; by itself it promises nothing, but an
  // error that it meets is one that sync() would not see any more. `tick` is called between pieces; its error ends the
  // call.
  Status write_out(uint64_t offset, uint64_t bytes, const std::function<Status()>& tick) const;
  // Takes bytes that were synced, and will not be read soon, out of the page cache; a hint, without errors.
  void drop_cached(uint64_t offset, uint64_t bytes) const;
  // False when another process holds it. Held until closed.
  bool try_lock();
  // Whether path() still leads to this file: false once it was removed or replaced.
  bool is_in_place() const;
  void close();

 private:
  const std::string& shown() const { return shown_.empty() ? path_ : shown_; }

  std::string path_;
  std::string shown_;
  int descriptor_ = -1;
};

// Makes creations, renames and removals in the folder durable.
Status sync_folder(const std::string& folder);
// Of a path: "." when it has none.
std::string folder_of(const std::string& path);

}  // namespace scrooge
