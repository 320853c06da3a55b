// SPDX-License-Identifier: Apache-2.0
#include "src/calibration/token_rows.h"

#include <algorithm>
#include <charconv>
#include <numeric>

namespace scrooge::calibration {
namespace {

// splitmix64 (Steele, Lea, Flood 2014): the same sequence on every platform.
uint64_t next_random(uint64_t& state) {
  uint64_t z = (state += 0x9e3779b97f4a7c15ull);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}

std::vector<int64_t> choose_rows(int64_t available, int64_t wanted, const RowOptions& options) {
  std::vector<int64_t> order(static_cast<size_t>(available));
  std::iota(order.begin(), order.end(), int64_t{0});
  if (options.sampling == Sampling::kEven) {
    for (int64_t i = 0; i < wanted; ++i) order[static_cast<size_t>(i)] = i * available / wanted;
  } else if (options.sampling == Sampling::kRandom && wanted < available) {
    uint64_t state = options.seed;
    for (int64_t i = 0; i < wanted; ++i) {
      const int64_t other = i + static_cast<int64_t>(next_random(state) % static_cast<uint64_t>(available - i));
      std::swap(order[static_cast<size_t>(i)], order[static_cast<size_t>(other)]);
    }
  }
  order.resize(static_cast<size_t>(wanted));
  std::sort(order.begin(), order.end());
  return order;
}

}  // namespace

Result<TokenRows> cut_rows(std::span<const int32_t> ids, const RowOptions& options, const std::string& name) {
  if (options.length < 2) return error(StatusCode::kInvalidArgument, "length: a row needs at least 2 tokens");
  for (size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] < 0 || ids[i] >= options.vocabulary) {
      return error(StatusCode::kBadText, name, ": token id ", ids[i], " at position ", i,
                   " is outside the model's vocabulary of ", options.vocabulary);
    }
  }
  const int64_t text_per_row = options.length - (options.bos ? 1 : 0);
  const int64_t available = static_cast<int64_t>(ids.size()) / text_per_row;
  if (available == 0) {
    return error(StatusCode::kBadText, name, ": ", ids.size(), " tokens do not fill one row of ", options.length,
                 "; give more text or a shorter length");
  }
  const int64_t wanted = options.max_rows > 0 ? std::min(options.max_rows, available) : available;
  TokenRows result;
  result.rows = wanted;
  result.length = options.length;
  result.ids.reserve(static_cast<size_t>(wanted * options.length));
  for (const int64_t row : choose_rows(available, wanted, options)) {
    if (options.bos) result.ids.push_back(*options.bos);
    const auto text = ids.subspan(static_cast<size_t>(row * text_per_row), static_cast<size_t>(text_per_row));
    result.ids.insert(result.ids.end(), text.begin(), text.end());
  }
  result.dropped = ids.size() - static_cast<uint64_t>(wanted * text_per_row);
  return result;
}

Result<std::vector<int32_t>> parse_token_ids(std::string_view text, const std::string& name, CancelToken* cancel) {
  constexpr size_t kPiece = 1 << 18;  // ids between two looks at the token, a few milliseconds
  std::vector<int32_t> ids;
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  const char* at = begin;
  while (true) {
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t' || *at == ',')) ++at;
    if (at == end) return ids;
    int32_t id = 0;
    const auto [next, failure] = std::from_chars(at, end, id);
    if (failure != std::errc()) {
      return error(StatusCode::kBadText, name, ": byte ", at - begin,
                   " is not a token id; give decimal numbers "
                   "separated by white space or commas");
    }
    ids.push_back(id);
    if (ids.size() % kPiece == 0) SCROOGE_RETURN_IF_ERROR(check_cancelled(cancel));
    at = next;
  }
}

}  // namespace scrooge::calibration
