// SPDX-License-Identifier: Apache-2.0
#include "src/container/text_check.h"

#include <cstdint>

#include "src/container/format.h"

namespace scrooge::container {
namespace {

// Length of the sequence that starts with `lead`, 0 when nothing may start with it.
int sequence_length(uint8_t lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return 2;
  if (lead >= 0xe0 && lead <= 0xef) return 3;
  if (lead >= 0xf0 && lead <= 0xf4) return 4;
  return 0;
}

// The second byte rules out overlong forms, surrogates and code points above U+10FFFF.
bool second_byte_fits(uint8_t lead, uint8_t second) {
  switch (lead) {
    case 0xe0: return second >= 0xa0;
    case 0xed: return second <= 0x9f;
    case 0xf0: return second >= 0x90;
    case 0xf4: return second <= 0x8f;
    default: return true;
  }
}

}  // namespace

bool is_storable_text(std::string_view text) {
  if (text.size() > kMaxTextBytes) return false;
  size_t at = 0;
  while (at < text.size()) {
    const auto lead = static_cast<uint8_t>(text[at]);
    const int length = sequence_length(lead);
    if (lead == 0 || length == 0 || text.size() - at < static_cast<size_t>(length)) return false;
    for (int i = 1; i < length; ++i) {
      const auto next = static_cast<uint8_t>(text[at + static_cast<size_t>(i)]);
      if ((next & 0xc0u) != 0x80u || (i == 1 && !second_byte_fits(lead, next))) return false;
    }
    at += static_cast<size_t>(length);
  }
  return true;
}

}  // namespace scrooge::container
