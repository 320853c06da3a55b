// SPDX-License-Identifier: Apache-2.0
// A text file read in pieces, cut where the caller says that it may be cut, with what is held counted in a budget.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "src/base/budget_hold.h"
#include "src/base/cancel.h"
#include "src/base/file_map.h"

namespace scrooge::pipeline {

// One thread. The budget must outlive it.
class TextPieces {
 public:
  static constexpr uint64_t kPieceBytes = uint64_t{256} << 10;

  struct Options {
    // The last place inside a text where it may be cut, 0 when there is none.
    std::function<size_t(std::string_view)> last_cut;
    // Of the budget, beside each byte of a piece, while the piece is there: what the caller makes of it.
    uint64_t bytes_beside = 0;
    uint64_t limit = 0;  // of the file, in bytes
    std::string advice;  // for a budget that has no room for a piece
  };
  // kInvalidArgument for a file above the limit, and errors of FileMap::open.
  static Result<TextPieces> open(const std::string& path, Options options, MemoryBudget& budget);

  uint64_t size() const { return map_.size(); }
  // The next piece: kPieceBytes at most, or as far as the first place beyond that; empty behind the last one. Valid
  // until the next call. kBudgetExceeded, kSourceChanged, kCancelled.
  Result<std::string_view> next(CancelToken* cancel);
  // Of the piece that next() gave, its place in the file.
  uint64_t offset() const { return offset_; }
  // Passes over so many bytes that are known to end at a place.
  void skip(uint64_t bytes) { end_ += bytes; }
  void rewind() { end_ = 0; }
  // Everything read was of one and the same file.
  Status check_unchanged() const { return map_.check_unchanged(); }

 private:
  TextPieces(FileMap map, Options options, MemoryBudget& budget)
      : map_(std::move(map)), options_(std::move(options)), budget_(&budget) {}
  Status grow(uint64_t bytes);

  FileMap map_;
  Options options_;
  MemoryBudget* budget_;
  HostBlock buffer_;
  BudgetHold beside_;
  uint64_t offset_ = 0;
  uint64_t end_ = 0;  // of the piece, where the next begins
};

}  // namespace scrooge::pipeline
