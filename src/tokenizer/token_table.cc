// SPDX-License-Identifier: Apache-2.0
#include "src/tokenizer/token_table.h"

#include <functional>
#include <limits>

#include "src/base/checked_size.h"

namespace scrooge::tokenizer {

std::string_view TokenTable::view(int32_t id) const {
  const Entry& entry = entries_[static_cast<size_t>(id)];
  return std::string_view(arena_).substr(entry.offset, static_cast<size_t>(entry.length));
}

size_t TokenTable::slot_of(std::string_view text) const {
  const size_t mask = slots_.size() - 1;
  size_t slot = std::hash<std::string_view>()(text) & mask;
  while (slots_[slot] >= 0 && view(slots_[slot]) != text) slot = (slot + 1) & mask;
  return slot;
}

void TokenTable::grow() {
  slots_.assign(slots_.empty() ? 64 : slots_.size() * 2, -1);
  for (int32_t id = 0; id < id_limit(); ++id) {
    if (entries_[static_cast<size_t>(id)].length >= 0) slots_[slot_of(view(id))] = id;
  }
}

TokenTable::Insert TokenTable::insert(int32_t id, std::string_view text) {
  const CheckedSize end = CheckedSize(arena_.size()) + text.size();
  if (id < 0 || id >= kMaxTokens || !end.fits_in(std::numeric_limits<uint32_t>::max()) ||
      text.size() > static_cast<size_t>(std::numeric_limits<int32_t>::max())) {
    return Insert::kTooLarge;
  }
  if (id < id_limit() && entries_[static_cast<size_t>(id)].length >= 0) return Insert::kDuplicateId;
  if (static_cast<size_t>(count_) * 2 >= slots_.size()) grow();
  const size_t slot = slot_of(text);
  if (slots_[slot] >= 0) return Insert::kDuplicateText;
  if (id >= id_limit()) entries_.resize(static_cast<size_t>(id) + 1);
  entries_[static_cast<size_t>(id)] = {static_cast<uint32_t>(arena_.size()), static_cast<int32_t>(text.size())};
  arena_.append(text);
  slots_[slot] = id;
  ++count_;
  return Insert::kAdded;
}

std::optional<int32_t> TokenTable::find(std::string_view text) const {
  if (slots_.empty()) return std::nullopt;
  const int32_t id = slots_[slot_of(text)];
  return id < 0 ? std::nullopt : std::optional<int32_t>(id);
}

std::optional<std::string_view> TokenTable::text(int32_t id) const {
  if (id < 0 || id >= id_limit() || entries_[static_cast<size_t>(id)].length < 0) return std::nullopt;
  return view(id);
}

}  // namespace scrooge::tokenizer
