// SPDX-License-Identifier: Apache-2.0
// A compiled pattern, and one search over one text with a bound on all the work it may do.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "src/base/result.h"

namespace scrooge::tokenizer {

struct Span {
  size_t begin = 0;
  size_t end = 0;
};

// Immutable after compile; shared by any number of threads.
class Pattern {
 public:
  // `pattern` in Hugging Face's dialect. kUnknownTokenizer for syntax that is not carried over, kBadTokenizer when it
  // does not compile; both name the pattern.
  static Result<Pattern> compile(std::string_view pattern);
  static Result<Pattern> compile_literal(std::string_view text);

  Pattern(Pattern&&) noexcept;
  Pattern& operator=(Pattern&&) noexcept;
  ~Pattern();

  const std::string& text() const { return text_; }

 private:
  friend class PatternSearch;
  struct Code;
  Pattern(std::string text, std::unique_ptr<Code> code);
  static Result<Pattern> build(std::string text, const std::string& translated);

  std::string text_;
  std::unique_ptr<Code> code_;
  bool has_newer_characters_ = false;
};

// Non-overlapping matches from left to right, an empty one never directly after another match. One thread at a time.
class PatternSearch {
 public:
  // The pattern must outlive the search.
  explicit PatternSearch(const Pattern& pattern);
  ~PatternSearch();
  PatternSearch(const PatternSearch&) = delete;
  PatternSearch& operator=(const PatternSearch&) = delete;

  // REQUIRES: `text` is valid UTF-8 and outlives the calls to next().
  void start(std::string_view text);
  // True and `match` set, or false at the end. kBadTokenizer, naming the pattern, when the steps this text allows are
  // used up: matching stays linear in the text whatever the pattern.
  Result<bool> next(Span& match);

 private:
  struct Scratch;
  Result<bool> match_from(size_t offset);

  const Pattern& pattern_;
  std::unique_ptr<Scratch> scratch_;
  std::string stand_in_;  // the text with newer characters replaced, when it has any
  std::string_view text_;
  size_t offset_ = 0;
  bool have_last_ = false;
  size_t last_end_ = 0;
  uint64_t credit_ = 0;
};

}  // namespace scrooge::tokenizer
