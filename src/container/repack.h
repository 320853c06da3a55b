// SPDX-License-Identifier: Apache-2.0
// A .scrooge file into another one whose quantized tensors are in the order that some kernel wants. Nothing else
// changes: there and back gives the bytes of the first.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "src/base/result.h"
#include "src/container/payload_check.h"

namespace scrooge::container {

struct RepackSummary {
  uint64_t tensors = 0;  // of which the next are quantized
  uint64_t quantized = 0;
  uint64_t bytes = 0;  // of the new file
};

// Reads `input`, whatever its layouts, checks every byte of it, and writes it to `output` with every quantized tensor
// in the layout of this name (tensor_layout.h). Holds about 8 MiB, or what a layout keeps together, beside the two
// indices. The output appears only when complete and durable, an older file of that name stays until then.
// `progress` is told bytes read and written, and may cancel (kCancelled).
// Errors: those of ModelReader::open and ModelWriter; kInputIsOutput; kInvalidArgument, before anything is written, for
// an unknown layout, or naming the tensor that cannot be in it; kBadModelFile for a file of calibration results, and
// for a symmetric tensor whose zeros plane says otherwise; kUnsupportedVersion for a file that may hold more than this
// version would keep.
Result<RepackSummary> repack(const std::string& input, const std::string& output, std::string_view layout,
                             const CheckProgress& progress = {});

}  // namespace scrooge::container
