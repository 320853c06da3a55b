// SPDX-License-Identifier: Apache-2.0
// Cuts normalized text into the words the model sees. Steps run one inside the other, so only one word is alive at a
// time however long the text is.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "src/base/result.h"
#include "src/tokenizer/pattern.h"

namespace scrooge::tokenizer {

enum class SplitBehavior { kIsolated, kRemoved, kMergedWithPrevious, kMergedWithNext, kContiguous };

struct SplitStep {
  Pattern pattern;
  SplitBehavior behavior = SplitBehavior::kIsolated;
  bool invert = false;  // what does not match is the delimiter
};
// Numbers apart from everything else, digit by digit or run by run.
struct DigitsStep {
  bool individual = false;
};
// A space in front of every piece that does not start with one (ByteLevel's add_prefix_space).
struct PrefixSpaceStep {};
struct MetaspaceStep {
  enum class Prepend { kFirst, kAlways, kNever };
  std::string mark;  // one character, usually U+2581
  Prepend prepend = Prepend::kAlways;
  bool split = true;
};
using PreTokenizerStep = std::variant<SplitStep, DigitsStep, PrefixSpaceStep, MetaspaceStep>;

// Working memory for one thread: the searches of the patterns. The steps must outlive it.
class PreTokenizer {
 public:
  explicit PreTokenizer(const std::vector<PreTokenizerStep>& steps);

  using Sink = std::function<Status(std::string_view word)>;
  // What comes before a text: nothing, something that it stands apart from, or text that goes on in it, so that nothing
  // is put in front.
  enum class Before { kNothing, kOther, kText };
  // Calls `sink` for each word in order, never with an empty one; the view lives during the call. Stops at the first
  // error. REQUIRES: valid UTF-8.
  Status run(std::string_view text, Before before, const Sink& sink);

 private:
  Status run_step(size_t index, std::string_view text, Before before, const Sink& sink);
  Status run_split(size_t index, const SplitStep& step, std::string_view text, Before before, const Sink& sink);
  Status run_digits(size_t index, const DigitsStep& step, std::string_view text, Before before, const Sink& sink);
  Status run_metaspace(size_t index, const MetaspaceStep& step, std::string_view text, Before before, const Sink& sink);

  const std::vector<PreTokenizerStep>& steps_;
  std::vector<std::unique_ptr<PatternSearch>> searches_;  // one per step, null where there is no pattern
};

}  // namespace scrooge::tokenizer
