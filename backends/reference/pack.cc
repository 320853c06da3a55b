// SPDX-License-Identifier: Apache-2.0
#include "backends/reference/elements.h"
#include "backends/reference/reference_device.h"
#include "src/backend/validate.h"

namespace scrooge::backend::reference {

Status ReferenceDevice::pack(const PackParams& p) {
  SCROOGE_RETURN_IF_ERROR(validate(p));
  for (int64_t n = 0; n < p.codes.rows; ++n) {
    // Bit by bit, from the definition: element k occupies bits [k * bits, k * bits + bits), lowest first.
    for (int64_t byte = 0; byte < p.packed.cols; ++byte) {
      unsigned value = 0;
      for (int64_t bit = 8 * byte; bit < 8 * byte + 8 && bit < p.codes.cols * p.bits; ++bit) {
        const auto code = static_cast<unsigned>(load(p.codes, n, bit / p.bits));
        value |= (code >> (bit % p.bits) & 1u) << (bit - 8 * byte);
      }
      store(p.packed, n, byte, value);
    }
  }
  return {};
}

}  // namespace scrooge::backend::reference
