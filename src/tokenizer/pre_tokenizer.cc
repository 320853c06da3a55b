// SPDX-License-Identifier: Apache-2.0
#include "src/tokenizer/pre_tokenizer.h"

#include "src/tokenizer/unicode.h"

namespace scrooge::tokenizer {

namespace {

struct Part {
  Span span;
  bool is_match = false;
};

// Feeds alternating parts to `emit`, joined or dropped as the behavior says. Only one part waits at a time, except for
// kMergedWithNext, where a delimiter waits for what follows.
class PartJoiner {
 public:
  explicit PartJoiner(SplitBehavior behavior) : behavior_(behavior) {}

  template <typename Emit>
  Status add(Part part, const Emit& emit) {
    if (part.span.begin == part.span.end) return {};
    if (behavior_ == SplitBehavior::kIsolated) return emit(part.span);
    if (behavior_ == SplitBehavior::kRemoved) return part.is_match ? Status() : emit(part.span);
    if (waiting_ && joins(part)) {
      pending_.span.end = part.span.end;
      // The joined part is closed: the next delimiter starts anew after it, or joins it, by its last piece's kind.
      pending_.is_match = part.is_match;
      return {};
    }
    SCROOGE_RETURN_IF_ERROR(finish(emit));
    pending_ = part;
    waiting_ = true;
    return {};
  }

  template <typename Emit>
  Status finish(const Emit& emit) {
    if (!waiting_) return {};
    waiting_ = false;
    return emit(pending_.span);
  }

 private:
  bool joins(const Part& part) const {
    switch (behavior_) {
      case SplitBehavior::kContiguous: return part.is_match == pending_.is_match;
      case SplitBehavior::kMergedWithPrevious: return part.is_match && !pending_.is_match;
      case SplitBehavior::kMergedWithNext: return !part.is_match && pending_.is_match;
      default: return false;
    }
  }

  SplitBehavior behavior_;
  Part pending_;
  bool waiting_ = false;
};

}  // namespace

PreTokenizer::PreTokenizer(const std::vector<PreTokenizerStep>& steps) : steps_(steps) {
  for (const PreTokenizerStep& step : steps_) {
    const auto* split = std::get_if<SplitStep>(&step);
    searches_.push_back(split == nullptr ? nullptr : std::make_unique<PatternSearch>(split->pattern));
  }
}

Status PreTokenizer::run(std::string_view text, Before before, const Sink& sink) {
  return run_step(0, text, before, sink);
}

Status PreTokenizer::run_step(size_t index, std::string_view text, Before before, const Sink& sink) {
  if (text.empty()) return {};
  if (index == steps_.size()) return sink(text);
  const PreTokenizerStep& step = steps_[index];
  if (const auto* split = std::get_if<SplitStep>(&step)) return run_split(index, *split, text, before, sink);
  if (const auto* digits = std::get_if<DigitsStep>(&step)) return run_digits(index, *digits, text, before, sink);
  if (const auto* meta = std::get_if<MetaspaceStep>(&step)) return run_metaspace(index, *meta, text, before, sink);
  if (text.front() == ' ' || before == Before::kText) return run_step(index + 1, text, before, sink);
  return run_step(index + 1, concat(" ", text), before, sink);
}

Status PreTokenizer::run_split(size_t index, const SplitStep& step, std::string_view text, Before before,
                               const Sink& sink) {
  const auto emit = [&](Span span) {
    return run_step(index + 1, text.substr(span.begin, span.end - span.begin),
                    span.begin == 0 ? before : Before::kOther, sink);
  };
  PartJoiner joiner(step.behavior);
  PatternSearch& search = *searches_[index];
  search.start(text);
  size_t done = 0;
  Span match;
  while (true) {
    SCROOGE_ASSIGN_OR_RETURN(const bool found, search.next(match));
    if (!found) break;
    SCROOGE_RETURN_IF_ERROR(joiner.add({{done, match.begin}, step.invert}, emit));
    SCROOGE_RETURN_IF_ERROR(joiner.add({match, !step.invert}, emit));
    done = match.end;
  }
  SCROOGE_RETURN_IF_ERROR(joiner.add({{done, text.size()}, step.invert}, emit));
  return joiner.finish(emit);
}

Status PreTokenizer::run_digits(size_t index, const DigitsStep& step, std::string_view text, Before before,
                                const Sink& sink) {
  const auto emit = [&](size_t begin, size_t end) {
    return run_step(index + 1, text.substr(begin, end - begin), begin == 0 ? before : Before::kOther, sink);
  };
  size_t begin = 0;
  bool in_number = false;
  for (size_t position = 0; position < text.size(); position += utf8_length(text[position])) {
    const bool number = is_numeric(utf8_decode(text, position));
    if (position != begin && (number != in_number || (number && step.individual))) {
      SCROOGE_RETURN_IF_ERROR(emit(begin, position));
      begin = position;
    }
    in_number = number;
  }
  return emit(begin, text.size());
}

Status PreTokenizer::run_metaspace(size_t index, const MetaspaceStep& step, std::string_view text, Before before,
                                   const Sink& sink) {
  std::string marked;
  marked.reserve(text.size() + text.size() / 2 + step.mark.size());
  const bool prepend = (step.prepend == MetaspaceStep::Prepend::kAlways && before != Before::kText) ||
                       (step.prepend == MetaspaceStep::Prepend::kFirst && before == Before::kNothing);
  if (prepend && text.front() != ' ' && !text.starts_with(step.mark)) marked.append(step.mark);
  for (const char c : text) {
    if (c == ' ') {
      marked.append(step.mark);
    } else {
      marked.push_back(c);
    }
  }
  if (!step.split) return run_step(index + 1, marked, before, sink);
  // A mark starts a word; of several in a row each but the last is a word of its own.
  size_t begin = 0;
  while (begin < marked.size()) {
    size_t end = marked.find(
        step.mark, marked.compare(begin, step.mark.size(), step.mark) == 0 ? begin + step.mark.size() : begin);
    if (end == std::string::npos) end = marked.size();
    const std::string_view word = std::string_view(marked).substr(begin, end - begin);
    SCROOGE_RETURN_IF_ERROR(run_step(index + 1, word, begin == 0 ? before : Before::kOther, sink));
    begin = end;
  }
  return {};
}

}  // namespace scrooge::tokenizer
