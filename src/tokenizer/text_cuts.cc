// SPDX-License-Identifier: Apache-2.0
#include "src/tokenizer/text_cuts.h"

#include <algorithm>

#include "src/tokenizer/known_patterns.h"
#include "src/tokenizer/tokenizer_parts.h"
#include "src/tokenizer/unicode.h"

namespace scrooge::tokenizer {

namespace {

bool is_ascii(char c) { return static_cast<unsigned char>(c) < 0x80; }
bool is_ascii_word(char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }
bool is_ascii_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// The character that starts at `begin` is whole, and no white space. Other ASCII than letters and digits is not asked
// about: some patterns join it to the newline before.
bool starts_text(std::string_view text, size_t begin) {
  if (is_ascii(text[begin])) return is_ascii_word(text[begin]);
  const std::string_view character = text.substr(begin, 4);
  const size_t valid = valid_utf8_prefix(character);
  return valid > 0 && !is_white_space(utf8_decode(character, 0));
}

// The same of the one that ends at `end`. REQUIRES: end > 0.
bool ends_text(std::string_view text, size_t end) {
  if (is_ascii(text[end - 1])) return text[end - 1] > ' ' && text[end - 1] != 0x7f;
  for (size_t length = 2; length <= std::min<size_t>(end, 4); ++length) {
    const std::string_view character = text.substr(end - length, length);
    if (valid_utf8_prefix(character) == length && utf8_length(character[0]) == length) {
      return !is_white_space(utf8_decode(character, 0));
    }
  }
  return false;
}

// A space in front, digits, and one of the known patterns that cuts everything into its matches.
bool cuts_at_spaces(const std::vector<PreTokenizerStep>& steps) {
  bool found = false;
  for (const PreTokenizerStep& step : steps) {
    if (std::holds_alternative<DigitsStep>(step)) continue;
    // Of the text as a whole, then; behind another step it could be in front of what is behind a place.
    if (std::holds_alternative<PrefixSpaceStep>(step) && &step == &steps.front()) continue;
    const auto* const split = std::get_if<SplitStep>(&step);
    if (split == nullptr || split->behavior != SplitBehavior::kIsolated) return false;
    const std::string& pattern = split->pattern.text();
    if (pattern != kGpt2Pattern && pattern != kLlama3Pattern && pattern != kQwen2Pattern && pattern != kGpt4oPattern) {
      return false;
    }
    found = true;
  }
  return found;
}

bool is_nfc_at_most(const std::vector<NormalizerStep>& steps) {
  return std::all_of(steps.begin(), steps.end(),
                     [](const NormalizerStep& step) { return std::holds_alternative<NfcStep>(step); });
}

// Space marks, and the one in front of the text, which is left out where a text goes on.
bool only_marks_spaces(const TokenizerParts& parts) {
  for (const NormalizerStep& step : parts.normalizer) {
    if (const auto* const prepend = std::get_if<PrependStep>(&step)) {
      if (prepend->text.find('\n') != std::string::npos) return false;
    } else if (const auto* const replace = std::get_if<ReplaceTextStep>(&step)) {
      if (replace->from != " " || replace->to.find('\n') != std::string::npos) return false;
    } else {
      return false;
    }
  }
  return parts.pre_tokenizer.empty() ||
         (parts.pre_tokenizer.size() == 1 && std::holds_alternative<MetaspaceStep>(parts.pre_tokenizer.front()));
}

}  // namespace

TextCuts TextCuts::of(const TokenizerParts& parts) {
  TextCuts cuts;
  if (is_nfc_at_most(parts.normalizer) && cuts_at_spaces(parts.pre_tokenizer)) {
    cuts.before_space_ = cuts.after_line_ = true;
    cuts.puts_space_in_front_ = std::holds_alternative<PrefixSpaceStep>(parts.pre_tokenizer.front());
  } else if (only_marks_spaces(parts) && parts.model.newline_stands_alone()) {
    cuts.after_newline_ = true;
  }
  if (!cuts.any()) return cuts;
  for (const AddedToken& token : parts.added_tokens) {
    cuts.check_added(token.content, token.single_word, token.strip_left, token.strip_right);
    if (!token.normalized) continue;
    const auto pattern = normalize(parts.normalizer, token.content);
    if (!pattern.ok()) return {};
    cuts.check_added(*pattern, token.single_word, token.strip_left, token.strip_right);
  }
  return cuts;
}

// No token may reach across a place, or take away or look at what is beyond it.
void TextCuts::check_added(std::string_view pattern, bool single_word, bool strip_left, bool strip_right) {
  if (pattern.empty()) return;
  for (size_t i = 0; i + 1 < pattern.size(); ++i) {
    if (is_ascii_word(pattern[i]) && is_ascii_space(pattern[i + 1])) before_space_ = false;
    if (pattern[i] == '\n') after_line_ = false;
  }
  if (single_word && (is_ascii_space(pattern.front()) || is_ascii_space(pattern.back()))) {
    before_space_ = after_line_ = false;
  }
  // Behind such a token a part begins, which a text that goes on would not know of.
  if (puts_space_in_front_ && (strip_right || pattern.back() == '\n' || is_ascii_word(pattern.back()))) {
    before_space_ = after_line_ = false;
  }
  if (strip_right && is_ascii_word(pattern.back())) before_space_ = false;
  if (strip_left) after_line_ = false;
  if (strip_left || strip_right || pattern.find('\n') != std::string_view::npos) after_newline_ = false;
}

bool TextCuts::is_at(std::string_view text, size_t place) const {
  const char before = text[place - 1];
  if (before_space_ && is_ascii_word(before) && is_ascii_space(text[place])) return true;
  if (before != '\n') return false;
  if (after_newline_) return true;
  return after_line_ && place >= 2 && starts_text(text, place) && ends_text(text, place - 1);
}

size_t TextCuts::last_in(std::string_view text) const {
  if (!any()) return 0;
  for (size_t place = text.size(); place-- > 1;) {
    if (is_at(text, place)) return place;
  }
  return 0;
}

}  // namespace scrooge::tokenizer
