// SPDX-License-Identifier: Apache-2.0
// Rows of ids that are all there, to hold against those of ids that come in pieces.
#pragma once

#include "src/calibration/token_rows.h"

namespace scrooge::test {

inline Result<calibration::TokenRows> cut_rows(std::span<const int32_t> ids, const calibration::RowOptions& options,
                                               const std::string& name) {
  MemoryBudget budget;
  SCROOGE_ASSIGN_OR_RETURN(auto cutter, calibration::RowCutter::create(options, name, budget));
  SCROOGE_RETURN_IF_ERROR(cutter.check(ids, 0));
  if (cutter.needs_total()) cutter.choose(ids.size());
  SCROOGE_RETURN_IF_ERROR(cutter.add(ids));
  return cutter.finish();
}

}  // namespace scrooge::test
