// SPDX-License-Identifier: Apache-2.0
#include "src/tokenizer/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>

#include "src/tokenizer/newer_characters.h"
#include "src/tokenizer/pattern_syntax.h"
#include "src/tokenizer/unicode.h"

namespace scrooge::tokenizer {

namespace {

constexpr size_t kLongestPattern = 64 << 10;
// Steps one match may take for free; a longer one (a long run of spaces, say) draws on the credit of the text.
constexpr uint32_t kFreeSteps = 4000;
constexpr uint32_t kMostSteps = 1u << 31;
constexpr uint64_t kCreditBase = 1 << 20;
constexpr uint64_t kCreditPerByte = 64;
constexpr uint32_t kDepthLimit = 1 << 20;
constexpr uint32_t kHeapLimitKib = 64 << 10;

}  // namespace

struct Pattern::Code {
  ~Code() { pcre2_code_free(code); }
  pcre2_code* code = nullptr;
};

struct PatternSearch::Scratch {
  ~Scratch() {
    pcre2_match_data_free(data);
    pcre2_match_context_free(context);
  }
  pcre2_match_data* data = nullptr;
  pcre2_match_context* context = nullptr;
};

Pattern::Pattern(std::string text, std::unique_ptr<Code> code)
    : text_(std::move(text)), code_(std::move(code)), has_newer_characters_(!replace_newer_characters(text_).empty()) {}
Pattern::Pattern(Pattern&&) noexcept = default;
Pattern& Pattern::operator=(Pattern&&) noexcept = default;
Pattern::~Pattern() = default;

Result<Pattern> Pattern::compile(std::string_view pattern) {
  if (valid_utf8_prefix(pattern) != pattern.size()) return error(StatusCode::kBadTokenizer, "a pattern is not UTF-8");
  if (pattern.empty()) return error(StatusCode::kBadTokenizer, "a pattern is empty");
  if (pattern.size() > kLongestPattern) {
    return error(StatusCode::kBadTokenizer, "a pattern of ", pattern.size(), " bytes is above the limit of ",
                 kLongestPattern);
  }
  SCROOGE_ASSIGN_OR_RETURN(const std::string translated, translate_pattern(pattern));
  return build(std::string(pattern), translated);
}

Result<Pattern> Pattern::compile_literal(std::string_view text) {
  if (text.empty() || text.size() > kLongestPattern) {
    return error(StatusCode::kBadTokenizer, "a pattern of ", text.size(), " bytes is outside 1 to ", kLongestPattern);
  }
  return build(std::string(text), quote_pattern(text));
}

Result<Pattern> Pattern::build(std::string text, const std::string& translated) {
  // Ruby's ^ and $ always mean line ends. \C would split characters.
  constexpr uint32_t kOptions = PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C;
  int code_error = 0;
  PCRE2_SIZE offset = 0;
  auto code = std::make_unique<Code>();
  code->code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(translated.data()), translated.size(), kOptions, &code_error,
                             &offset, nullptr);
  if (code_error == PCRE2_ERROR_HEAP_FAILED) {
    return error(StatusCode::kOutOfMemory, "no memory for the pattern \"", printable(text), "\"");
  }
  if (code->code == nullptr) {
    PCRE2_UCHAR reason[128] = {};
    pcre2_get_error_message(code_error, reason, sizeof reason);
    return error(StatusCode::kBadTokenizer, "the pattern \"", printable(text),
                 "\" does not compile: ", reinterpret_cast<const char*>(reason));
  }
  // Without just-in-time compilation the interpreter runs the same pattern.
  (void)pcre2_jit_compile(code->code, PCRE2_JIT_COMPLETE);
  return Pattern(std::move(text), std::move(code));
}

PatternSearch::PatternSearch(const Pattern& pattern)
    : pattern_(pattern), scratch_(std::make_unique<Scratch>()), credit_(kCreditBase) {
  scratch_->data = pcre2_match_data_create(1, nullptr);
  scratch_->context = pcre2_match_context_create(nullptr);
  if (scratch_->context == nullptr) return;
  pcre2_set_depth_limit(scratch_->context, kDepthLimit);
  pcre2_set_heap_limit(scratch_->context, kHeapLimitKib);
  pcre2_set_match_limit(scratch_->context, kFreeSteps);
}

PatternSearch::~PatternSearch() = default;

void PatternSearch::start(std::string_view text) {
  text_ = text;
  if (!pattern_.has_newer_characters_) stand_in_ = replace_newer_characters(text);
  if (!stand_in_.empty()) text_ = stand_in_;
  offset_ = 0;
  have_last_ = false;
  // Not reset: a text cut into many small pieces must not earn the base again for each.
  credit_ += kCreditPerByte * text.size();
}

Result<bool> PatternSearch::match_from(size_t offset) {
  if (scratch_->data == nullptr || scratch_->context == nullptr) {
    return error(StatusCode::kOutOfMemory, "no memory for the pattern \"", printable(pattern_.text()), "\"");
  }
  uint32_t steps = kFreeSteps;
  uint32_t options = PCRE2_NO_UTF_CHECK;
  while (true) {
    const int count = pcre2_match(pattern_.code_->code, reinterpret_cast<PCRE2_SPTR>(text_.data()), text_.size(),
                                  offset, options, scratch_->data, scratch_->context);
    if (steps != kFreeSteps) pcre2_set_match_limit(scratch_->context, kFreeSteps);
    if (count == PCRE2_ERROR_NOMATCH) return false;
    if (count >= 0) return true;
    if (count == PCRE2_ERROR_JIT_STACKLIMIT && (options & PCRE2_NO_JIT) == 0) {
      options |= PCRE2_NO_JIT;
    } else if (count == PCRE2_ERROR_MATCHLIMIT && steps < kMostSteps && credit_ >= uint64_t{steps} * 4) {
      steps *= 4;
      credit_ -= steps;
    } else if (count == PCRE2_ERROR_NOMEMORY) {
      return error(StatusCode::kOutOfMemory, "no memory for the pattern \"", printable(pattern_.text()), "\"");
    } else {
      PCRE2_UCHAR reason[128] = {};
      pcre2_get_error_message(count, reason, sizeof reason);
      return error(StatusCode::kBadTokenizer, "the pattern \"", printable(pattern_.text()),
                   "\" takes too many steps on this text (", reinterpret_cast<const char*>(reason),
                   "); use a tokenizer whose pattern does not backtrack so much");
    }
    pcre2_set_match_limit(scratch_->context, steps);
  }
}

Result<bool> PatternSearch::next(Span& match) {
  while (offset_ <= text_.size()) {
    SCROOGE_ASSIGN_OR_RETURN(const bool found, match_from(offset_));
    if (!found) break;
    const PCRE2_SIZE* span = pcre2_get_ovector_pointer(scratch_->data);
    // A lookbehind with \K could report a start before the offset; \K is refused, so this only guards the invariant.
    match.begin = std::max(static_cast<size_t>(span[0]), offset_);
    match.end = std::max(static_cast<size_t>(span[1]), match.begin);
    const bool empty = match.begin == match.end;
    const bool beside_last = empty && have_last_ && match.end == last_end_;
    offset_ = match.end;
    if (empty) offset_ += match.end < text_.size() ? utf8_length(text_[match.end]) : 1;
    if (beside_last) continue;
    have_last_ = true;
    last_end_ = match.end;
    return true;
  }
  offset_ = text_.size() + 1;
  return false;
}

}  // namespace scrooge::tokenizer
