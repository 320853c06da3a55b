// SPDX-License-Identifier: Apache-2.0
// Token ids cut into rows of equal length.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "src/base/cancel.h"
#include "src/base/memory_budget.h"
#include "src/base/result.h"

namespace scrooge::calibration {

struct TokenRows {
  std::vector<int32_t> ids;  // rows * length
  int64_t rows = 0;
  int64_t length = 0;
  // Tokens given but not used: the tail, and rows that were not chosen. Where the first rows are taken, what is behind
  // the last of them is not looked at and does not count.
  uint64_t dropped = 0;

  uint64_t tokens() const { return ids.size(); }
};

// Which rows of the text are taken where it has more than are wanted.
enum class Sampling : int32_t { kFirst = 0, kEven = 1, kRandom = 2 };

struct RowOptions {
  int64_t length = 512;
  int64_t max_rows = 128;      // 0: all
  std::optional<int32_t> bos;  // put at the start of every row when the model's tokenizer does so
  Sampling sampling = Sampling::kFirst;
  uint64_t seed = 0;       // of kRandom; rows stay in text order
  int64_t vocabulary = 0;  // ids must be below
};

// Cuts ids, which come piece by piece and are taken as one text, into rows; the tail is dropped. What it holds is
// counted in a budget. One thread.
class RowCutter {
 public:
  // `name` stands in messages. kInvalidArgument for a length below 2. The budget must outlive the cutter.
  static Result<RowCutter> create(const RowOptions& options, std::string name, MemoryBudget& budget);

  // Rows are chosen among all there are: how many ids come must be known first, from choose().
  bool needs_total() const { return options_.sampling != Sampling::kFirst && options_.max_rows > 0; }
  // REQUIRES: needs_total(), before add() and skip().
  void choose(uint64_t total);
  // Nothing of what still comes is wanted.
  bool full() const;
  // Whether any of the next `count` ids is wanted.
  bool wants(uint64_t count) const;
  // The next ids. kBadText for one outside the vocabulary, kBudgetExceeded.
  Status add(std::span<const int32_t> ids);
  // Passes over the next ids, none of which is wanted.
  void skip(uint64_t count) { position_ += count; }
  // kBadText for an id outside the vocabulary. `position` is that of the first.
  Status check(std::span<const int32_t> ids, uint64_t position) const;
  // After all ids. kBadText when they did not fill one row.
  Result<TokenRows> finish();

 private:
  RowCutter(const RowOptions& options, std::string name, MemoryBudget& budget)
      : options_(options), name_(std::move(name)), budget_(&budget) {}
  uint64_t text_per_row() const { return static_cast<uint64_t>(options_.length - (options_.bos ? 1 : 0)); }
  bool wants_row(uint64_t row) const;
  Status make_room(uint64_t ids);

  RowOptions options_;
  std::string name_;
  MemoryBudget* budget_;
  std::vector<uint64_t> chosen_;  // ascending; only with needs_total()
  uint64_t total_ = 0;            // likewise
  uint64_t position_ = 0;         // of the next id
  TokenRows rows_;
};

// Ids as decimal text, separated by white space or commas. kBadText names the position of what is not a number;
// `offset` is that of the text's first byte.
Result<std::vector<int32_t>> parse_token_ids(std::string_view text, const std::string& name,
                                             CancelToken* cancel = nullptr, uint64_t offset = 0);
// Behind the last separator inside `text`, where it may be cut in two; 0 when there is none.
size_t last_token_id_cut(std::string_view text);

}  // namespace scrooge::calibration
