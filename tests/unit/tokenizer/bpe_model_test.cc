// SPDX-License-Identifier: Apache-2.0
#include "src/tokenizer/bpe_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "src/tokenizer/byte_alphabet.h"

namespace scrooge::tokenizer {
namespace {

struct NamedMerge {
  std::string left;
  std::string right;
};

// All bytes, then one token per merge.
BpeModel byte_model(const std::vector<NamedMerge>& merges) {
  TokenTable tokens;
  for (int byte = 0; byte < 256; ++byte) {
    EXPECT_EQ(tokens.insert(byte, byte_to_alphabet(static_cast<unsigned char>(byte))), TokenTable::Insert::kAdded);
  }
  int32_t next = 256;
  for (const auto& [left, right] : merges) {
    if (tokens.insert(next, left + right) == TokenTable::Insert::kAdded) ++next;
  }
  BpeOptions options;
  options.byte_level = true;
  BpeModel model(std::move(tokens), options);
  uint32_t rank = 0;
  for (const auto& [left, right] : merges) {
    const auto find = [&](const std::string& text) { return *model.tokens().find(text); };
    model.add_merge(find(left), find(right), rank++, find(left + right));
  }
  return model;
}

std::vector<int32_t> encode(const BpeModel& model, std::string_view word) {
  BpeScratch scratch;
  std::vector<int32_t> ids;
  EXPECT_TRUE(model.encode_word(word, scratch, ids).ok());
  return ids;
}

// The definition: merge the lowest rank, leftmost, until none is left.
std::vector<std::string> merge_by_definition(std::string_view word, const std::vector<NamedMerge>& merges) {
  std::vector<std::string> parts;
  for (const char c : word) parts.emplace_back(1, c);
  while (true) {
    size_t best_rank = merges.size();
    size_t best = 0;
    for (size_t i = 0; i + 1 < parts.size(); ++i) {
      for (size_t rank = 0; rank < best_rank; ++rank) {
        if (merges[rank].left == parts[i] && merges[rank].right == parts[i + 1]) {
          best_rank = rank;
          best = i;
        }
      }
    }
    if (best_rank == merges.size()) return parts;
    parts[best] += parts[best + 1];
    parts.erase(parts.begin() + static_cast<ptrdiff_t>(best) + 1);
  }
}

TEST(BpeModel, MergesAsTheDefinitionDoes) {
  std::mt19937 random(7);
  for (int round = 0; round < 40; ++round) {
    std::vector<std::string> pieces = {"a", "b", "c"};
    std::vector<NamedMerge> merges;
    for (int i = 0; i < 25; ++i) {
      const auto pick = [&] { return pieces[random() % pieces.size()]; };
      NamedMerge merge{pick(), pick()};
      const bool known = std::any_of(merges.begin(), merges.end(), [&](const NamedMerge& m) {
        return m.left == merge.left && m.right == merge.right;
      });
      if (known || merge.left.size() + merge.right.size() > 8) continue;
      pieces.push_back(merge.left + merge.right);
      merges.push_back(std::move(merge));
    }
    const BpeModel model = byte_model(merges);
    for (int i = 0; i < 20; ++i) {
      std::string word;
      for (size_t n = random() % 60 + 1; n > 0; --n) word.push_back(static_cast<char>('a' + random() % 3));
      std::vector<std::string> actual;
      for (const int32_t id : encode(model, word)) actual.push_back(model.token_bytes(id));
      EXPECT_EQ(actual, merge_by_definition(word, merges)) << word;
    }
  }
}

TEST(BpeModel, OneVeryLongWordIsNotQuadratic) {
  const BpeModel model = byte_model({{"a", "b"}, {"ab", "ab"}, {"abab", "abab"}, {"a", "a"}, {"aa", "aa"}});
  std::string word;
  for (int i = 0; i < 1 << 18; ++i) word += i % 5 == 0 ? "aa" : "ab";
  size_t bytes = 0;
  for (const int32_t id : encode(model, word)) bytes += model.token_bytes(id).size();
  EXPECT_EQ(bytes, word.size());
}

TEST(BpeModel, CachedWordsGiveTheSameIds) {
  const BpeModel model = byte_model({{"a", "b"}, {"ab", "c"}});
  BpeScratch scratch;
  std::vector<int32_t> ids;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(model.encode_word("abcab", scratch, ids).ok());
  EXPECT_EQ(ids, (std::vector<int32_t>{257, 256, 257, 256, 257, 256}));
}

TEST(TokenTable, RefusesDuplicatesAndOutOfRangeIds) {
  TokenTable table;
  EXPECT_EQ(table.insert(5, "a"), TokenTable::Insert::kAdded);
  EXPECT_EQ(table.insert(5, "b"), TokenTable::Insert::kDuplicateId);
  EXPECT_EQ(table.insert(6, "a"), TokenTable::Insert::kDuplicateText);
  EXPECT_EQ(table.insert(-1, "c"), TokenTable::Insert::kTooLarge);
  EXPECT_EQ(table.insert(kMaxTokens, "c"), TokenTable::Insert::kTooLarge);
  EXPECT_EQ(table.insert(0, ""), TokenTable::Insert::kAdded);
  EXPECT_EQ(table.id_limit(), 6);
  EXPECT_EQ(table.count(), 2);
  EXPECT_FALSE(table.text(3));
  EXPECT_EQ(table.find(""), 0);
}

}  // namespace
}  // namespace scrooge::tokenizer
