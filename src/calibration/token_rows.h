// SPDX-License-Identifier: Apache-2.0
// Token ids cut into rows of equal length.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "src/base/cancel.h"
#include "src/base/result.h"

namespace scrooge::calibration {

struct TokenRows {
  std::vector<int32_t> ids;  // rows * length
  int64_t rows = 0;
  int64_t length = 0;
  uint64_t dropped = 0;  // tokens given but not used: the tail, and rows beyond the limit

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

// Cuts the ids, taken as one text, into rows; the tail is dropped and counted. `name` stands in messages. kBadText when
// not one row can be filled or an id is outside the vocabulary; kInvalidArgument for a length below 2.
Result<TokenRows> cut_rows(std::span<const int32_t> ids, const RowOptions& options, const std::string& name);

// Ids as decimal text, separated by white space or commas. kBadText names the position of what is not a number.
Result<std::vector<int32_t>> parse_token_ids(std::string_view text, const std::string& name,
                                             CancelToken* cancel = nullptr);

}  // namespace scrooge::calibration
