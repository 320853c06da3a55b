// SPDX-License-Identifier: Apache-2.0
#include "src/tokenizer/json_steps.h"

#include <utility>

#include "src/tokenizer/json_model.h"
#include "src/tokenizer/known_patterns.h"
#include "src/tokenizer/unicode.h"

namespace scrooge::tokenizer {

namespace {

constexpr int kMostNesting = 8;

Status unknown(const JsonValue& where, std::string_view kind, std::string_view type) {
  return error(StatusCode::kUnknownTokenizer, where.where(), ": this version does not know the ", kind, " \"",
               printable(type), "\"");
}

Result<std::string_view> read_text(const JsonValue& object, std::string_view key) {
  SCROOGE_ASSIGN_OR_RETURN(const JsonValue member, object.get(key));
  SCROOGE_ASSIGN_OR_RETURN(const std::string_view text, member.as_string());
  if (valid_utf8_prefix(text) != text.size()) return member.fail("not valid UTF-8");
  return text;
}

// {"String": "..."} or {"Regex": "..."}.
Result<Pattern> read_pattern(const JsonValue& field) {
  const auto literal = field.find("String");
  SCROOGE_ASSIGN_OR_RETURN(const std::string_view text, read_text(field, literal ? "String" : "Regex"));
  auto pattern = literal ? Pattern::compile_literal(text) : Pattern::compile(text);
  if (!pattern.ok()) return pattern.status().with_context(field.where());
  return pattern;
}

class Reader {
 public:
  Status normalizer(const JsonValue& value, int depth) {
    SCROOGE_ASSIGN_OR_RETURN(const std::string_view type, read_text(value, "type"));
    if (type == "Sequence") return each(value, "normalizers", depth, &Reader::normalizer);
    if (type == "NFC") {
      steps_.normalizer.emplace_back(NfcStep{});
    } else if (type == "Prepend") {
      SCROOGE_ASSIGN_OR_RETURN(const std::string_view text, read_text(value, "prepend"));
      steps_.normalizer.emplace_back(PrependStep{std::string(text)});
    } else if (type == "Replace") {
      SCROOGE_ASSIGN_OR_RETURN(const JsonValue pattern, value.get("pattern"));
      SCROOGE_ASSIGN_OR_RETURN(const std::string_view to, read_text(value, "content"));
      const auto literal = pattern.find("String");
      if (!literal) {
        SCROOGE_ASSIGN_OR_RETURN(Pattern compiled, read_pattern(pattern));
        steps_.normalizer.emplace_back(ReplacePatternStep{std::move(compiled), std::string(to)});
        return {};
      }
      SCROOGE_ASSIGN_OR_RETURN(const std::string_view from, read_text(pattern, "String"));
      if (from.empty()) return literal->fail("empty");
      if (from == " ") steps_.space_mark = std::string(to);
      steps_.normalizer.emplace_back(ReplaceTextStep{std::string(from), std::string(to)});
    } else {
      return unknown(value, "normalizer", type);
    }
    return {};
  }

  Status pre_tokenizer(const JsonValue& value, int depth) {
    SCROOGE_ASSIGN_OR_RETURN(const std::string_view type, read_text(value, "type"));
    if (type == "Sequence") return each(value, "pretokenizers", depth, &Reader::pre_tokenizer);
    // After ByteLevel the text is in the byte alphabet; no known tokenizer splits that again.
    if (steps_.byte_level) return unknown(value, "pre-tokenizer after ByteLevel", type);
    if (type == "ByteLevel") return byte_level(value);
    if (type == "Split") return split(value);
    if (type == "Metaspace") return metaspace(value);
    if (type == "Digits") {
      SCROOGE_ASSIGN_OR_RETURN(const bool individual, read_flag(value, "individual_digits", false));
      steps_.pre_tokenizer.emplace_back(DigitsStep{individual});
      return {};
    }
    return unknown(value, "pre-tokenizer", type);
  }

  JsonSteps take() { return std::move(steps_); }

 private:
  Status each(const JsonValue& value, std::string_view key, int depth, Status (Reader::*read)(const JsonValue&, int)) {
    if (depth == kMostNesting) return value.fail(concat("sequences nest deeper than ", kMostNesting));
    SCROOGE_ASSIGN_OR_RETURN(const JsonValue list, value.get(key));
    SCROOGE_ASSIGN_OR_RETURN(const auto entries, list.as_array());
    for (const JsonValue& entry : entries) SCROOGE_RETURN_IF_ERROR((this->*read)(entry, depth + 1));
    return {};
  }

  Status byte_level(const JsonValue& value) {
    SCROOGE_ASSIGN_OR_RETURN(const bool prefix, read_flag(value, "add_prefix_space", true));
    SCROOGE_ASSIGN_OR_RETURN(const bool use_pattern, read_flag(value, "use_regex", true));
    if (prefix) steps_.pre_tokenizer.emplace_back(PrefixSpaceStep{});
    if (use_pattern) {
      SCROOGE_ASSIGN_OR_RETURN(Pattern pattern, Pattern::compile(kGpt2Pattern));
      steps_.pre_tokenizer.emplace_back(SplitStep{std::move(pattern)});
    }
    steps_.byte_level = true;
    return {};
  }

  Status split(const JsonValue& value) {
    SCROOGE_ASSIGN_OR_RETURN(const JsonValue field, value.get("pattern"));
    SCROOGE_ASSIGN_OR_RETURN(Pattern pattern, read_pattern(field));
    SCROOGE_ASSIGN_OR_RETURN(const bool invert, read_flag(value, "invert", false));
    SCROOGE_ASSIGN_OR_RETURN(const std::string_view name, read_text(value, "behavior"));
    static constexpr std::pair<std::string_view, SplitBehavior> kBehaviors[] = {
        {"Isolated", SplitBehavior::kIsolated},
        {"Removed", SplitBehavior::kRemoved},
        {"MergedWithPrevious", SplitBehavior::kMergedWithPrevious},
        {"MergedWithNext", SplitBehavior::kMergedWithNext},
        {"Contiguous", SplitBehavior::kContiguous}};
    for (const auto& [known, behavior] : kBehaviors) {
      if (name != known) continue;
      steps_.pre_tokenizer.emplace_back(SplitStep{std::move(pattern), behavior, invert});
      return {};
    }
    return unknown(value, "split behavior", name);
  }

  Status metaspace(const JsonValue& value) {
    MetaspaceStep step;
    SCROOGE_ASSIGN_OR_RETURN(const std::string_view mark, read_text(value, "replacement"));
    if (mark.empty() || utf8_length(mark[0]) != mark.size()) return value.fail("replacement is not one character");
    step.mark = std::string(mark);
    SCROOGE_ASSIGN_OR_RETURN(step.split, read_flag(value, "split", true));
    std::string_view scheme = "always";
    if (value.find("prepend_scheme")) {
      SCROOGE_ASSIGN_OR_RETURN(scheme, read_text(value, "prepend_scheme"));
    }
    if (scheme == "always") {
      step.prepend = MetaspaceStep::Prepend::kAlways;
    } else if (scheme == "first") {
      step.prepend = MetaspaceStep::Prepend::kFirst;
    } else if (scheme == "never") {
      step.prepend = MetaspaceStep::Prepend::kNever;
    } else {
      return unknown(value, "prepend_scheme", scheme);
    }
    SCROOGE_ASSIGN_OR_RETURN(const bool prefix, read_flag(value, "add_prefix_space", true));
    if (!prefix && step.prepend != MetaspaceStep::Prepend::kNever) {
      return value.fail("add_prefix_space false contradicts prepend_scheme");
    }
    steps_.space_mark = step.mark;
    steps_.pre_tokenizer.emplace_back(std::move(step));
    return {};
  }

  JsonSteps steps_;
};

}  // namespace

Result<JsonSteps> read_json_steps(const JsonValue& root) {
  Reader reader;
  if (const auto value = root.find("normalizer")) SCROOGE_RETURN_IF_ERROR(reader.normalizer(*value, 0));
  if (const auto value = root.find("pre_tokenizer")) SCROOGE_RETURN_IF_ERROR(reader.pre_tokenizer(*value, 0));
  return reader.take();
}

}  // namespace scrooge::tokenizer
