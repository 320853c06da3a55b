// SPDX-License-Identifier: Apache-2.0
// A file in memory that ends where the memory does: a byte read past its end, or before its page, ends the test.
#pragma once

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <span>

#include "scrooge/scrooge_reader.h"
#include "tests/support/model_file.h"

namespace scrooge::reader_test {

class MemoryFile {
 public:
  explicit MemoryFile(size_t capacity) : page_(static_cast<size_t>(::sysconf(_SC_PAGESIZE))) {
    room_ = (capacity + page_ - 1) / page_ * page_;
    void* map = ::mmap(nullptr, room_ + 2 * page_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED) return;
    map_ = static_cast<std::byte*>(map);
    if (::mprotect(map_ + page_, room_, PROT_READ | PROT_WRITE) != 0) room_ = 0;
  }
  explicit MemoryFile(std::span<const std::byte> content) : MemoryFile(content.size()) { put(content); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  ~MemoryFile() {
    if (map_ != nullptr) ::munmap(map_, room_ + 2 * page_);
  }

  // At the end of the memory, or up to 63 bytes before it: the reader wants an aligned start.
  void put(std::span<const std::byte> content) {
    ASSERT_LE(content.size(), room_);
    size_ = content.size();
    data_ = map_ + page_ + (room_ - size_) / SCROOGE_READER_ALIGNMENT * SCROOGE_READER_ALIGNMENT;
    if (size_ > 0) std::memcpy(data_, content.data(), size_);
  }
  std::span<std::byte> bytes() const { return {data_, size_}; }
  scrooge_reader_status open(scrooge_reader& reader) const { return scrooge_reader_open(&reader, data_, size_); }

 private:
  size_t page_;
  size_t room_ = 0;
  std::byte* map_ = nullptr;
  std::byte* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace scrooge::reader_test
