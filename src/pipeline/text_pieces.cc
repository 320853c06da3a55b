// SPDX-License-Identifier: Apache-2.0
#include "src/pipeline/text_pieces.h"

#include <algorithm>

namespace scrooge::pipeline {

Result<TextPieces> TextPieces::open(const std::string& path, Options options, MemoryBudget& budget) {
  SCROOGE_ASSIGN_OR_RETURN(FileMap map, FileMap::open(path));
  if (map.size() > options.limit) {
    return error(StatusCode::kInvalidArgument, path, ": ", map.size(), " bytes, above the limit of ", options.limit);
  }
  return TextPieces(std::move(map), std::move(options), budget);
}

Status TextPieces::grow(uint64_t bytes) {
  buffer_.reset();
  beside_.reset();
  const std::string purpose = concat(map_.path(), ": ", bytes, " bytes of text at once");
  SCROOGE_ASSIGN_OR_RETURN(beside_, BudgetHold::take(*budget_, bytes * options_.bytes_beside, purpose));
  SCROOGE_ASSIGN_OR_RETURN(buffer_, budget_->allocate(bytes, purpose));
  return {};
}

Result<std::string_view> TextPieces::next(CancelToken* cancel) {
  offset_ = end_;
  const uint64_t left = map_.size() - offset_;
  uint64_t wanted = std::min(kPieceBytes, left);
  uint64_t had = 0;
  while (left > 0) {
    SCROOGE_RETURN_IF_ERROR(check_cancelled(cancel));
    if (buffer_.size() < wanted) {
      had = 0;
      SCROOGE_RETURN_IF_ERROR(grow(wanted).with_advice(options_.advice));
    }
    const std::span<char> text = buffer_.as<char>().first(static_cast<size_t>(wanted));
    // In parts, so that a long text can be cancelled while it is read.
    while (had < wanted) {
      const uint64_t count = std::min(uint64_t{16} << 20, wanted - had);
      SCROOGE_RETURN_IF_ERROR(check_cancelled(cancel));
      SCROOGE_RETURN_IF_ERROR(map_.read(
          offset_ + had, std::as_writable_bytes(text.subspan(static_cast<size_t>(had), static_cast<size_t>(count)))));
      had += count;
    }
    const std::string_view all(text.data(), text.size());
    const size_t cut = wanted == left ? text.size() : options_.last_cut(all);
    if (cut > 0) {
      end_ = offset_ + cut;
      return all.substr(0, cut);
    }
    wanted = wanted > left / 2 ? left : wanted * 2;
  }
  return std::string_view();
}

}  // namespace scrooge::pipeline
