// SPDX-License-Identifier: Apache-2.0
#include "tests/support/cuda_shim/guarded_memory.h"

#include <sys/mman.h>

#include <cstring>

#include "src/base/text.h"

namespace scrooge::test::shim {
namespace {

constexpr size_t kPage = 4096;
constexpr uint64_t kAlignment = 256;
constexpr std::byte kPattern{0xa5};

}  // namespace

GuardedMemory::~GuardedMemory() {
  for (const auto& [address, block] : blocks_) munmap(block.map, block.map_bytes);
}

uint64_t GuardedMemory::allocate(uint64_t bytes) {
  const uint64_t padded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  const size_t inside = (padded + kPage - 1) / kPage * kPage;
  const size_t total = inside + 2 * kPage;
  void* const map = mmap(nullptr, total, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (map == MAP_FAILED) return 0;
  auto* const begin = static_cast<std::byte*>(map);
  if (mprotect(begin + kPage, inside, PROT_READ | PROT_WRITE) != 0) {
    munmap(map, total);
    return 0;
  }
  std::byte* const data = begin + kPage + inside - padded;
  std::memset(data, 0xff, bytes);
  std::memset(data + bytes, static_cast<int>(kPattern), padded - bytes);
  const auto address = reinterpret_cast<uint64_t>(data);
  blocks_[address] = {bytes, begin, total};
  bytes_ += bytes;
  return address;
}

bool GuardedMemory::release(uint64_t address) {
  const auto at = blocks_.find(address);
  if (at == blocks_.end()) return false;
  munmap(at->second.map, at->second.map_bytes);
  bytes_ -= at->second.bytes;
  blocks_.erase(at);
  return true;
}

bool GuardedMemory::covers(uint64_t address, uint64_t bytes) const {
  auto at = blocks_.upper_bound(address);
  if (at == blocks_.begin()) return false;
  --at;
  const uint64_t offset = address - at->first;
  return offset <= at->second.bytes && bytes <= at->second.bytes - offset;
}

std::string GuardedMemory::damage() const {
  for (const auto& [address, block] : blocks_) {
    const uint64_t padded = (block.bytes + kAlignment - 1) / kAlignment * kAlignment;
    const auto* const data = reinterpret_cast<const std::byte*>(address);
    for (uint64_t i = block.bytes; i < padded; ++i) {
      if (data[i] != kPattern) return concat("byte ", i, " of a device allocation of ", block.bytes, " was written");
    }
  }
  return {};
}

}  // namespace scrooge::test::shim
