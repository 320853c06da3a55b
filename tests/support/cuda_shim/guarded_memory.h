// SPDX-License-Identifier: Apache-2.0
// Device memory of the fake driver: each allocation lies between pages that nobody may touch, its end as close to the
// second one as alignment allows; the few bytes left there hold a pattern that is looked at after every launch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace scrooge::test::shim {

class GuardedMemory {
 public:
  GuardedMemory() = default;
  ~GuardedMemory();
  GuardedMemory(const GuardedMemory&) = delete;
  GuardedMemory& operator=(const GuardedMemory&) = delete;

  // Aligned to 256 bytes, filled with NaN. 0 when the system refuses.
  uint64_t allocate(uint64_t bytes);
  bool release(uint64_t address);
  // The range lies in one allocation.
  bool covers(uint64_t address, uint64_t bytes) const;
  // Empty, or which allocation was written beyond its end.
  std::string damage() const;

  size_t count() const { return blocks_.size(); }
  uint64_t bytes() const { return bytes_; }

 private:
  struct Block {
    uint64_t bytes = 0;
    std::byte* map = nullptr;
    size_t map_bytes = 0;
  };

  std::map<uint64_t, Block> blocks_;
  uint64_t bytes_ = 0;
};

}  // namespace scrooge::test::shim
