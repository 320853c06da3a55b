// SPDX-License-Identifier: Apache-2.0
#include "src/tokenizer/added_tokens.h"

#include <algorithm>

#include "src/tokenizer/unicode.h"

namespace scrooge::tokenizer {

namespace {

// Start of the character that ends at `end`. REQUIRES: end > 0.
size_t previous_character(std::string_view text, size_t end) {
  size_t start = end - 1;
  while (start > 0 && (static_cast<unsigned char>(text[start]) & 0xc0) == 0x80) --start;
  return start;
}

size_t skip_space_left(std::string_view text, size_t end) {
  while (end > 0) {
    const size_t start = previous_character(text, end);
    if (!is_white_space(utf8_decode(text, start))) break;
    end = start;
  }
  return end;
}

size_t skip_space_right(std::string_view text, size_t begin) {
  while (begin < text.size() && is_white_space(utf8_decode(text, begin))) begin += utf8_length(text[begin]);
  return begin;
}

bool stands_alone(std::string_view text, size_t begin, size_t end) {
  if (begin > 0 && is_word(utf8_decode(text, previous_character(text, begin)))) return false;
  return end == text.size() || !is_word(utf8_decode(text, end));
}

}  // namespace

void AddedTokenMatcher::add(std::string_view pattern, const AddedToken& token) {
  if (pattern.empty()) return;
  int32_t node = 0;
  for (const char c : pattern) {
    const auto byte = static_cast<unsigned char>(c);
    auto& children = nodes_[static_cast<size_t>(node)].children;
    const auto place = std::lower_bound(children.begin(), children.end(), byte,
                                        [](const auto& child, unsigned char b) { return child.first < b; });
    if (place != children.end() && place->first == byte) {
      node = place->second;
      continue;
    }
    const auto fresh = static_cast<int32_t>(nodes_.size());
    children.insert(place, {byte, fresh});
    if (node == 0) first_[byte] = fresh;
    nodes_.emplace_back();
    node = fresh;
  }
  if (nodes_[static_cast<size_t>(node)].token >= 0) return;
  nodes_[static_cast<size_t>(node)].token = static_cast<int32_t>(flags_.size());
  flags_.push_back({token.id, token.single_word, token.strip_left, token.strip_right});
}

std::pair<int32_t, size_t> AddedTokenMatcher::longest_at(std::string_view text, size_t position) const {
  std::pair<int32_t, size_t> best{-1, position};
  int32_t node = first_[static_cast<unsigned char>(text[position])];
  while (node >= 0) {
    ++position;
    const Node& here = nodes_[static_cast<size_t>(node)];
    if (here.token >= 0) best = {here.token, position};
    if (position == text.size()) break;
    const auto byte = static_cast<unsigned char>(text[position]);
    const auto place = std::lower_bound(here.children.begin(), here.children.end(), byte,
                                        [](const auto& child, unsigned char b) { return child.first < b; });
    node = place != here.children.end() && place->first == byte ? place->second : -1;
  }
  return best;
}

Result<std::vector<AddedTokenMatcher::Segment>> AddedTokenMatcher::split(std::string_view text,
                                                                         CancelToken* cancel) const {
  constexpr size_t kPiece = size_t{1} << 20;  // bytes between two looks at the token, a few milliseconds
  std::vector<Segment> segments;
  size_t look = kPiece;
  size_t done = 0;
  if (!empty()) {
    for (size_t position = 0; position < text.size();) {
      if (position >= look) {
        SCROOGE_RETURN_IF_ERROR(check_cancelled(cancel));
        look = position + kPiece;
      }
      const auto [token, match_end] = longest_at(text, position);
      if (token < 0) {
        ++position;
        continue;
      }
      const Flags& flags = flags_[static_cast<size_t>(token)];
      size_t begin = position;
      size_t end = match_end;
      position = match_end;
      if (flags.single_word && !stands_alone(text, begin, end)) continue;
      if (flags.strip_left) begin = std::max(skip_space_left(text, begin), done);
      if (flags.strip_right) end = skip_space_right(text, end);
      if (done < begin) segments.push_back({-1, text.substr(done, begin - done)});
      // White space the previous token took may belong to this one too; then the segments overlap, as in Hugging Face.
      segments.push_back({flags.id, text.substr(begin, end > begin ? end - begin : 0)});
      done = end;
    }
  }
  if (done < text.size()) segments.push_back({-1, text.substr(done)});
  return segments;
}

}  // namespace scrooge::tokenizer
