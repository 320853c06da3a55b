// SPDX-License-Identifier: Apache-2.0
// Where the next segment, plane or index goes. The writer and the planner step the same cursor, so a plan is exact.
#pragma once

#include <cstdint>

#include "src/base/checked_size.h"
#include "src/container/format.h"

namespace scrooge::container {

// Sizes that overflow poison the cursor: end() stays invalid.
class LayoutCursor {
 public:
  explicit LayoutCursor(Alignment alignment) : alignment_(alignment) {}

  // Moves past the zero tail of what came before, to the next segment boundary; returns the segment's (or the index's)
  // offset.
  CheckedSize next_segment() {
    end_ = (end_ + tail_).align_up(alignment_.segment());
    tail_ = kSegmentTailBytes;
    return end_;
  }
  // Places `size` bytes on the next plane boundary and returns their offset.
  CheckedSize place(CheckedSize size) {
    const CheckedSize offset = end_.align_up(alignment_.plane());
    end_ = offset + size;
    return offset;
  }
  // Behind the last byte placed.
  CheckedSize end() const { return end_; }

 private:
  Alignment alignment_;
  CheckedSize end_ = kSuperblockBytes;
  CheckedSize tail_ = 0;
};

}  // namespace scrooge::container
