// SPDX-License-Identifier: Apache-2.0
#include "src/tensor/quant_spec.h"

namespace scrooge {

Status QuantSpec::validate() const {
  if (bits != 2 && bits != 3 && bits != 4 && bits != 8) {
    return error(StatusCode::kInvalidArgument, "bits: ", bits, " is not one of 2, 3, 4, 8");
  }
  if (group < 0 || (group > 0 && group < 8) || group > (int64_t{1} << 20)) {
    return error(StatusCode::kInvalidArgument, "group: ", group,
                 " cannot be laid out; give 0 for one group per row, or 8 to 1048576");
  }
  return {};
}

}  // namespace scrooge
