// SPDX-License-Identifier: Apache-2.0
#include "src/calibration/token_rows.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <numeric>
#include <unordered_map>

namespace scrooge::calibration {
namespace {

// splitmix64 (Steele, Lea, Flood 2014): the same sequence on every platform.
uint64_t next_random(uint64_t& state) {
  uint64_t z = (state += 0x9e3779b97f4a7c15ull);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}

// Of `available`, ascending. Random ones by a shuffle of which only the moved places are kept.
std::vector<uint64_t> choose_rows(uint64_t available, uint64_t wanted, const RowOptions& options) {
  std::vector<uint64_t> chosen(static_cast<size_t>(wanted));
  std::iota(chosen.begin(), chosen.end(), uint64_t{0});
  if (options.sampling == Sampling::kEven) {
    for (uint64_t i = 0; i < wanted; ++i) chosen[static_cast<size_t>(i)] = i * available / wanted;
  } else if (options.sampling == Sampling::kRandom && wanted < available) {
    std::unordered_map<uint64_t, uint64_t> moved;
    const auto at = [&](uint64_t place) {
      const auto found = moved.find(place);
      return found == moved.end() ? place : found->second;
    };
    uint64_t state = options.seed;
    for (uint64_t i = 0; i < wanted; ++i) {
      const uint64_t other = i + next_random(state) % (available - i);
      chosen[static_cast<size_t>(i)] = at(other);
      moved[other] = at(i);
    }
  }
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

bool is_separator(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == ','; }

}  // namespace

Result<RowCutter> RowCutter::create(const RowOptions& options, std::string name, MemoryBudget& budget) {
  if (options.length < 2) return error(StatusCode::kInvalidArgument, "length: a row needs at least 2 tokens");
  RowCutter cutter(options, std::move(name), budget);
  cutter.rows_.length = options.length;
  return cutter;
}

void RowCutter::choose(uint64_t total) {
  total_ = total;
  const uint64_t available = total / text_per_row();
  chosen_ = choose_rows(available, std::min(static_cast<uint64_t>(options_.max_rows), available), options_);
}

bool RowCutter::wants_row(uint64_t row) const {
  if (needs_total()) return std::binary_search(chosen_.begin(), chosen_.end(), row);
  return options_.max_rows <= 0 || row < static_cast<uint64_t>(options_.max_rows);
}

bool RowCutter::full() const { return options_.max_rows > 0 && !wants(std::numeric_limits<uint64_t>::max()); }

bool RowCutter::wants(uint64_t count) const {
  if (count == 0) return false;
  const uint64_t first = position_ / text_per_row();
  if (!needs_total()) return wants_row(first);
  const auto next = std::lower_bound(chosen_.begin(), chosen_.end(), first);
  return next != chosen_.end() && *next * text_per_row() < position_ + std::min(count, ~position_);
}

Status RowCutter::check(std::span<const int32_t> ids, uint64_t position) const {
  for (size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] < 0 || ids[i] >= options_.vocabulary) {
      return error(StatusCode::kBadText, name_, ": token id ", ids[i], " at position ", position + i,
                   " is outside the model's vocabulary of ", options_.vocabulary);
    }
  }
  return {};
}

// Both the old and the new place count while ids move.
Status RowCutter::make_room(uint64_t ids) {
  const uint64_t needed = rows_.ids.size() + ids;
  if (needed <= rows_.ids.capacity()) return {};
  const uint64_t before = rows_.ids.capacity() * sizeof(int32_t);
  uint64_t room = rows_.ids.capacity() + rows_.ids.capacity() / 2;
  if (options_.max_rows > 0) room = std::min(room, static_cast<uint64_t>(options_.max_rows * options_.length));
  room = std::max(room, needed);
  SCROOGE_RETURN_IF_ERROR(budget_->reserve(room * sizeof(int32_t), concat(name_, ": its token ids"))
                              .with_advice("or give fewer or shorter samples"));
  rows_.ids.reserve(static_cast<size_t>(room));
  budget_->give_back(before);
  return {};
}

Status RowCutter::add(std::span<const int32_t> ids) {
  SCROOGE_RETURN_IF_ERROR(check(ids, position_));
  while (!ids.empty() && !full()) {
    const uint64_t within = position_ % text_per_row();
    const auto count = static_cast<size_t>(std::min<uint64_t>(ids.size(), text_per_row() - within));
    if (wants_row(position_ / text_per_row())) {
      SCROOGE_RETURN_IF_ERROR(make_room(count + (within == 0 && options_.bos ? 1 : 0)));
      if (within == 0 && options_.bos) rows_.ids.push_back(*options_.bos);
      rows_.ids.insert(rows_.ids.end(), ids.begin(), ids.begin() + static_cast<ptrdiff_t>(count));
    }
    position_ += count;
    ids = ids.subspan(count);
  }
  return {};
}

Result<TokenRows> RowCutter::finish() {
  rows_.rows = static_cast<int64_t>(rows_.ids.size() / static_cast<uint64_t>(options_.length));
  if (rows_.rows == 0) {
    return error(StatusCode::kBadText, name_, ": ", std::max(total_, position_), " tokens do not fill one row of ",
                 options_.length, "; give more text or a shorter length");
  }
  rows_.ids.resize(static_cast<size_t>(rows_.rows * rows_.length));
  rows_.dropped = std::max(total_, position_) - static_cast<uint64_t>(rows_.rows) * text_per_row();
  return std::move(rows_);
}

size_t last_token_id_cut(std::string_view text) {
  for (size_t place = text.size(); place-- > 1;) {
    if (is_separator(text[place - 1])) return place;
  }
  return 0;
}

Result<std::vector<int32_t>> parse_token_ids(std::string_view text, const std::string& name, CancelToken* cancel,
                                             uint64_t offset) {
  constexpr size_t kPiece = 1 << 18;  // ids between two looks at the token, a few milliseconds
  std::vector<int32_t> ids;
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  const char* at = begin;
  while (true) {
    while (at < end && is_separator(*at)) ++at;
    if (at == end) return ids;
    int32_t id = 0;
    const auto [next, failure] = std::from_chars(at, end, id);
    if (failure != std::errc()) {
      return error(StatusCode::kBadText, name, ": byte ", offset + static_cast<uint64_t>(at - begin),
                   " is not a token id; give decimal numbers "
                   "separated by white space or commas");
    }
    ids.push_back(id);
    if (ids.size() % kPiece == 0) SCROOGE_RETURN_IF_ERROR(check_cancelled(cancel));
    at = next;
  }
}

}  // namespace scrooge::calibration
