// SPDX-License-Identifier: Apache-2.0
// Pairs of token ids that merge: open addressing, one cache line per lookup as a rule.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace scrooge::tokenizer {

class MergeTable {
 public:
  struct Merge {
    uint32_t rank = 0;  // lower merges first
    int32_t result = 0;
  };

  // A later merge of the same pair replaces the earlier one, as in Hugging Face's map.
  // REQUIRES: ids >= 0.
  void insert(int32_t left, int32_t right, Merge merge) {
    if ((count_ + 1) * 2 > slots_.size()) grow();
    Slot& slot = slots_[find_slot(key_of(left, right))];
    if (slot.key == kFree) ++count_;
    slot = {key_of(left, right), merge};
  }

  // Null when the pair does not merge. Negative ids never do.
  const Merge* find(int32_t left, int32_t right) const {
    if (slots_.empty() || left < 0 || right < 0) return nullptr;
    const Slot& slot = slots_[find_slot(key_of(left, right))];
    return slot.key == kFree ? nullptr : &slot.merge;
  }

  // Whether some pair has it.
  bool has(int32_t id) const {
    for (const Slot& slot : slots_) {
      if (slot.key == kFree) continue;
      if (slot.key >> 32 == static_cast<uint32_t>(id) || (slot.key & 0xffffffffu) == static_cast<uint32_t>(id)) {
        return true;
      }
    }
    return false;
  }

 private:
  struct Slot {
    uint64_t key = kFree;
    Merge merge;
  };
  static constexpr uint64_t kFree = ~uint64_t{0};

  static uint64_t key_of(int32_t left, int32_t right) {
    return (uint64_t{static_cast<uint32_t>(left)} << 32) | static_cast<uint32_t>(right);
  }
  size_t find_slot(uint64_t key) const {
    const size_t mask = slots_.size() - 1;
    size_t slot = static_cast<size_t>((key * 0x9e3779b97f4a7c15ull) >> 29) & mask;
    while (slots_[slot].key != kFree && slots_[slot].key != key) slot = (slot + 1) & mask;
    return slot;
  }
  void grow() {
    std::vector<Slot> old(slots_.empty() ? 64 : slots_.size() * 2);
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.key != kFree) slots_[find_slot(slot.key)] = slot;
    }
  }

  std::vector<Slot> slots_;
  size_t count_ = 0;
};

}  // namespace scrooge::tokenizer
