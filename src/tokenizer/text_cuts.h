// SPDX-License-Identifier: Apache-2.0
// Places where a text may be cut in two so that the ids of its parts, one after the other, are those of the whole.
// Known by the tokenizer's steps; a tokenizer with steps of which that is not known has none.
#pragma once

#include <cstddef>
#include <string_view>

namespace scrooge::tokenizer {

struct TokenizerParts;

class TextCuts {
 public:
  TextCuts() = default;  // none
  // The added tokens' patterns are their contents as they are, or normalized.
  static TextCuts of(const TokenizerParts& parts);

  bool any() const { return before_space_ || after_line_ || after_newline_; }
  // The last one inside `text`, of any bytes, or 0.
  size_t last_in(std::string_view text) const;
  // Whether `place`, inside the text, is one.
  bool is_at(std::string_view text, size_t place) const;

 private:
  void check_added(std::string_view pattern, bool single_word, bool strip_left, bool strip_right);

  bool puts_space_in_front_ = false;  // of every part of a text that stands between added tokens
  // Between an ASCII letter or digit and ASCII white space: every known pattern ends a word there, and none looks back.
  bool before_space_ = false;
  // Behind a newline that stands alone between two characters that are no white space.
  bool after_line_ = false;
  // Behind any newline, where it is a symbol that no merge takes in.
  bool after_newline_ = false;
};

}  // namespace scrooge::tokenizer
