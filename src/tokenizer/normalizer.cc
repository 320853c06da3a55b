// SPDX-License-Identifier: Apache-2.0
#include "src/tokenizer/normalizer.h"

#include "src/tokenizer/unicode.h"

namespace scrooge::tokenizer {

namespace {

// A short text and a long replacement must not fill the memory.
constexpr size_t kMostGrowth = size_t{4} << 30;

Status too_large() {
  return error(StatusCode::kBadTokenizer, "the normalizer makes this text larger than ", kMostGrowth, " bytes");
}

struct Apply {
  std::string& text;
  bool goes_on;

  Status operator()(const NfcStep&) const {
    text = compose_nfc(text);
    return {};
  }

  Status operator()(const PrependStep& step) const {
    if (!text.empty() && !goes_on) text.insert(0, step.text);
    return {};
  }

  Status operator()(const ReplaceTextStep& step) const {
    std::string out;
    out.reserve(text.size());
    size_t done = 0;
    for (size_t hit = text.find(step.from); hit != std::string::npos; hit = text.find(step.from, done)) {
      out.append(text, done, hit - done).append(step.to);
      done = hit + step.from.size();
      if (out.size() > kMostGrowth) return too_large();
    }
    out.append(text, done, std::string::npos);
    text = std::move(out);
    return {};
  }

  Status operator()(const ReplacePatternStep& step) const {
    std::string out;
    size_t done = 0;
    PatternSearch search(step.pattern);
    search.start(text);
    Span match;
    while (true) {
      SCROOGE_ASSIGN_OR_RETURN(const bool found, search.next(match));
      if (!found) break;
      out.append(text, done, match.begin - done).append(step.to);
      done = match.end;
      if (out.size() > kMostGrowth) return too_large();
    }
    out.append(text, done, std::string::npos);
    text = std::move(out);
    return {};
  }
};

}  // namespace

Result<std::string> normalize(const std::vector<NormalizerStep>& steps, std::string_view text, bool goes_on) {
  std::string out(text);
  for (const NormalizerStep& step : steps) SCROOGE_RETURN_IF_ERROR(std::visit(Apply{out, goes_on}, step));
  return out;
}

}  // namespace scrooge::tokenizer
