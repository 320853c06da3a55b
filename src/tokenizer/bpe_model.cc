// SPDX-License-Identifier: Apache-2.0
#include "src/tokenizer/bpe_model.h"

#include <algorithm>
#include <functional>

#include "src/tokenizer/byte_alphabet.h"
#include "src/tokenizer/unicode.h"

namespace scrooge::tokenizer {

namespace {

constexpr size_t kLongestCachedWord = 64;
constexpr size_t kMostCachedWords = 1 << 16;
constexpr size_t kStepsBetweenLooks = 1 << 16;  // at a cancel token: some milliseconds

}  // namespace

std::string byte_token(unsigned char byte) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  return concat("<0x", kHex[byte >> 4], kHex[byte & 15], ">");
}

BpeModel::BpeModel(TokenTable tokens, BpeOptions options) : tokens_(std::move(tokens)), options_(std::move(options)) {
  byte_ids_.fill(-1);
  for (int byte = 0; byte < 256; ++byte) {
    const auto value = static_cast<unsigned char>(byte);
    if (const auto id = tokens_.find(options_.byte_level ? byte_to_alphabet(value) : byte_token(value))) {
      byte_ids_[value] = *id;
    }
  }
  if (options_.unknown) unknown_id_ = tokens_.find(*options_.unknown);
  if (options_.byte_level && options_.ignore_merges) {
    for (int32_t id = 0; id < tokens_.id_limit(); ++id) {
      const auto text = tokens_.text(id);
      if (!text) continue;
      // The alphabet is one-to-one, so two tokens never stand for the same bytes.
      if (const auto bytes = alphabet_to_bytes(*text)) (void)words_.insert(id, *bytes);
    }
  }
}

void BpeModel::add_merge(int32_t left, int32_t right, uint32_t rank, int32_t result) {
  merges_.insert(left, right, {rank, result});
}

bool BpeModel::newline_stands_alone() const {
  if (options_.byte_level || options_.ignore_merges) return false;
  std::optional<int32_t> id = tokens_.find("\n");
  if (!id && options_.byte_fallback &&
      std::all_of(byte_ids_.begin(), byte_ids_.end(), [](int32_t b) { return b >= 0; })) {
    id = byte_ids_['\n'];
  }
  return id && !merges_.has(*id);
}

Status BpeModel::fill_symbols(std::string_view word, BpeScratch& scratch, CancelToken* cancel) const {
  auto& symbols = scratch.symbols;
  symbols.clear();
  const auto add = [&](int32_t id) { symbols.push_back({id, 0, 0}); };
  // An unknown token waits here so that its neighbours can join it. Byte-fallback tokens do not flush it; that is what
  // Hugging Face does, and only vocabularies with some byte tokens missing can tell.
  bool unknown_waits = false;
  const auto flush = [&] {
    if (unknown_waits) add(*unknown_id_);
    unknown_waits = false;
  };
  size_t length = 0;
  for (size_t position = 0; position < word.size(); position += length) {
    length = options_.byte_level ? 1 : utf8_length(word[position]);
    if (symbols.size() % kStepsBetweenLooks == kStepsBetweenLooks - 1) SCROOGE_RETURN_IF_ERROR(check_cancelled(cancel));
    const std::string_view character = word.substr(position, length);
    const auto byte_id = [&](char c) { return byte_ids_[static_cast<unsigned char>(c)]; };
    std::optional<int32_t> id;
    if (options_.byte_level) {
      if (byte_id(character[0]) >= 0) id = byte_id(character[0]);
    } else {
      id = tokens_.find(character);
    }
    if (id) {
      flush();
      add(*id);
      continue;
    }
    if (options_.byte_fallback && !options_.byte_level &&
        std::all_of(character.begin(), character.end(), [&](char c) { return byte_id(c) >= 0; })) {
      for (const char c : character) add(byte_id(c));
      continue;
    }
    if (!options_.unknown) continue;
    if (!unknown_id_) {
      return error(StatusCode::kBadTokenizer,
                   "the text holds a character outside the vocabulary, and the unknown token \"",
                   printable(*options_.unknown), "\" is not in the vocabulary either");
    }
    if (!options_.fuse_unknown) flush();
    unknown_waits = true;
  }
  flush();
  return {};
}

Status BpeModel::merge(BpeScratch& scratch, CancelToken* cancel) const {
  auto& symbols = scratch.symbols;
  auto& queue = scratch.queue;
  queue.clear();
  const auto count = static_cast<int32_t>(symbols.size());
  for (int32_t i = 0; i < count; ++i) {
    symbols[static_cast<size_t>(i)].previous = i - 1;
    symbols[static_cast<size_t>(i)].next = i + 1 < count ? i + 1 : -1;
    if (i + 1 == count) break;
    const auto* merge = merges_.find(symbols[static_cast<size_t>(i)].id, symbols[static_cast<size_t>(i) + 1].id);
    if (merge != nullptr) queue.push_back((uint64_t{merge->rank} << 32) | static_cast<uint32_t>(i));
  }
  std::make_heap(queue.begin(), queue.end(), std::greater<>());
  const auto push = [&](int32_t position) {
    const auto& left = symbols[static_cast<size_t>(position)];
    if (left.next < 0) return;
    const auto* merge = merges_.find(left.id, symbols[static_cast<size_t>(left.next)].id);
    if (merge == nullptr) return;
    queue.push_back((uint64_t{merge->rank} << 32) | static_cast<uint32_t>(position));
    std::push_heap(queue.begin(), queue.end(), std::greater<>());
  };
  for (size_t step = 1; !queue.empty(); ++step) {
    if (step % kStepsBetweenLooks == 0) SCROOGE_RETURN_IF_ERROR(check_cancelled(cancel));
    const uint64_t top = queue.front();
    std::pop_heap(queue.begin(), queue.end(), std::greater<>());
    queue.pop_back();
    const auto position = static_cast<int32_t>(top & 0xffffffffu);
    auto& left = symbols[static_cast<size_t>(position)];
    if (left.id < 0 || left.next < 0) continue;
    auto& right = symbols[static_cast<size_t>(left.next)];
    const auto* merge = merges_.find(left.id, right.id);
    if (merge == nullptr || merge->rank != top >> 32) continue;  // an entry from before a neighbour merged
    left.id = merge->result;
    left.next = right.next;
    right.id = -1;
    if (left.next >= 0) symbols[static_cast<size_t>(left.next)].previous = position;
    if (left.previous >= 0) push(left.previous);
    push(position);
  }
  return {};
}

Status BpeModel::encode_word(std::string_view word, BpeScratch& scratch, std::vector<int32_t>& out,
                             CancelToken* cancel) const {
  if (word.empty()) return {};
  if (options_.ignore_merges) {
    if (const auto id = options_.byte_level ? words_.find(word) : tokens_.find(word)) {
      out.push_back(*id);
      return {};
    }
  }
  const bool cached = word.size() <= kLongestCachedWord;
  if (cached) {
    scratch.key.assign(word);
    if (const auto hit = scratch.words.find(scratch.key); hit != scratch.words.end()) {
      const auto first = scratch.ids.begin() + static_cast<ptrdiff_t>(hit->second.first);
      out.insert(out.end(), first, first + static_cast<ptrdiff_t>(hit->second.second));
      return {};
    }
  }
  SCROOGE_RETURN_IF_ERROR(fill_symbols(word, scratch, cancel));
  SCROOGE_RETURN_IF_ERROR(merge(scratch, cancel));
  const size_t begin = out.size();
  for (const auto& symbol : scratch.symbols) {
    if (symbol.id >= 0) out.push_back(symbol.id);
  }
  if (cached && scratch.words.size() < kMostCachedWords) {
    scratch.words.emplace(scratch.key, std::pair(scratch.ids.size(), out.size() - begin));
    scratch.ids.insert(scratch.ids.end(), out.begin() + static_cast<ptrdiff_t>(begin), out.end());
  }
  return {};
}

std::string BpeModel::token_bytes(int32_t id) const {
  const auto text = tokens_.text(id);
  if (!text) return {};
  if (options_.byte_level) return alphabet_to_bytes(*text).value_or(std::string(*text));
  if (options_.byte_fallback && text->size() == 6) {
    for (int byte = 0; byte < 256; ++byte) {
      if (byte_ids_[static_cast<size_t>(byte)] == id) return std::string(1, static_cast<char>(byte));
    }
  }
  return std::string(*text);
}

}  // namespace scrooge::tokenizer
