// SPDX-License-Identifier: Apache-2.0
// What may stand in a text field of the index.
#pragma once

#include <string_view>

namespace scrooge::container {

// Well-formed UTF-8 (no surrogates, no overlong forms), no NUL, at most kMaxTextBytes: every reader can show it and
// every JSON writer can quote it.
bool is_storable_text(std::string_view text);

}  // namespace scrooge::container
