// SPDX-License-Identifier: Apache-2.0
// Tokens that are recognized in the text itself, before the model: the longest at the leftmost place.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/base/cancel.h"
#include "src/base/result.h"

namespace scrooge::tokenizer {

struct AddedToken {
  int32_t id = 0;
  std::string content;
  bool special = false;
  bool normalized = false;   // looked for in normalized text, in its own normalized form
  bool single_word = false;  // only where no word character touches it
  bool strip_left = false;   // takes the white space before it
  bool strip_right = false;  // and after it
};

// Immutable once filled.
class AddedTokenMatcher {
 public:
  // `pattern` is the text to look for (the content, possibly normalized); an empty one is ignored, and of two equal
  // ones the first stays.
  void add(std::string_view pattern, const AddedToken& token);
  bool empty() const { return flags_.empty(); }

  struct Segment {
    int32_t id = -1;  // -1: plain text
    std::string_view text;
  };
  // Cuts `text` into tokens and the plain text between them; no empty segments. REQUIRES: valid UTF-8. kCancelled.
  Result<std::vector<Segment>> split(std::string_view text, CancelToken* cancel = nullptr) const;

 private:
  struct Flags {
    int32_t id;
    bool single_word;
    bool strip_left;
    bool strip_right;
  };
  struct Node {
    int32_t token = -1;  // index into flags_
    std::vector<std::pair<unsigned char, int32_t>> children;
  };
  // The longest token that starts at `position`: its index and its end, or -1.
  std::pair<int32_t, size_t> longest_at(std::string_view text, size_t position) const;

  std::vector<Flags> flags_;
  std::vector<Node> nodes_ = std::vector<Node>(1);
  std::vector<int32_t> first_ = std::vector<int32_t>(256, -1);  // the root's children by byte
};

}  // namespace scrooge::tokenizer
