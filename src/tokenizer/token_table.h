// SPDX-License-Identifier: Apache-2.0
// Texts and their ids, both ways, in two flat arrays: a vocabulary of 4 M tokens costs its text plus 16 bytes each.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace scrooge::tokenizer {

// Ids lie in [0, kMaxTokens).
inline constexpr int32_t kMaxTokens = 4 << 20;

class TokenTable {
 public:
  enum class Insert { kAdded, kDuplicateText, kDuplicateId, kTooLarge };

  // kTooLarge when the id is out of range or all the text together exceeds 4 GiB. Nothing changes unless kAdded.
  Insert insert(int32_t id, std::string_view text);

  std::optional<int32_t> find(std::string_view text) const;
  // The view lives until the next insert.
  std::optional<std::string_view> text(int32_t id) const;
  // Highest id + 1.
  int32_t id_limit() const { return static_cast<int32_t>(entries_.size()); }
  // Number of tokens.
  int32_t count() const { return count_; }

 private:
  struct Entry {
    uint32_t offset = 0;
    int32_t length = -1;  // -1: no token has this id
  };
  size_t slot_of(std::string_view text) const;
  std::string_view view(int32_t id) const;
  void grow();

  std::string arena_;
  std::vector<Entry> entries_;
  std::vector<int32_t> slots_;  // open addressing, a power of two, -1 is free
  int32_t count_ = 0;
};

}  // namespace scrooge::tokenizer
