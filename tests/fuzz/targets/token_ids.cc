// SPDX-License-Identifier: Apache-2.0
// Options (the first bytes), then token ids as text: parsed and cut into rows.
#include "src/calibration/token_rows.h"

#include "tests/fuzz/fuzz_target.h"
#include "tests/support/cut_rows.h"

namespace scrooge::fuzz {

const InputKind kInputKind = InputKind::kText;

std::vector<std::string> seeds() {
  const std::string options(6, '\x02');
  return {options + "0 1 2 3,4,5\n6\t7\r\n383 8 9", options + "2147483647 -1", options + "1,,,2",
          "\x08\x01\x01\x02\x01\xff"
          "1 2 3 4 5 6 7 8 9"};
}

void run(std::string_view input) {
  Reader reader(input);
  calibration::RowOptions options;
  options.length = reader.byte() % 16;
  options.max_rows = reader.byte() % 8;
  if (reader.byte() % 2 == 1) options.bos = 0;
  options.sampling = static_cast<calibration::Sampling>(reader.byte() % 3);
  options.seed = reader.byte();
  options.vocabulary = 2 * int64_t{reader.byte()};
  const auto ids = calibration::parse_token_ids(reader.rest(), "input");
  if (!ids.ok()) {
    require(ids.status().code() == StatusCode::kBadText, "bad ids are a bad text");
    return;
  }
  const auto rows = test::cut_rows(*ids, options, "input");
  if (!rows.ok()) return;
  require(rows->rows > 0 && rows->length == options.length, "rows have the length asked for");
  require(rows->ids.size() == static_cast<size_t>(rows->rows * rows->length), "rows are whole");
  const uint64_t used = static_cast<uint64_t>(rows->rows * (rows->length - (options.bos ? 1 : 0)));
  const bool first = options.sampling == calibration::Sampling::kFirst && rows->rows == options.max_rows;
  require(used + (first ? ids->size() - used : rows->dropped) == ids->size() && (!first || rows->dropped == 0),
          "every token is used or counted as dropped, but for those behind the first rows");
  for (const int32_t id : rows->ids) require(id >= 0 && (id < options.vocabulary || id == 0), "ids are in range");
}

}  // namespace scrooge::fuzz
