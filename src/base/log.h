// SPDX-License-Identifier: Apache-2.0
// The library never prints: what it has to say goes to the sink of the job it belongs to.
#pragma once

#include <functional>
#include <string_view>

#include "src/base/text.h"

namespace scrooge {

enum class LogLevel : int32_t { kDebug = 0, kInfo = 1, kWarning = 2, kError = 3 };

// Called on the thread that runs the job; the text is valid during the call.
using LogSink = std::function<void(LogLevel level, std::string_view text)>;

template <typename... Parts>
void log(const LogSink& sink, LogLevel level, const Parts&... parts) {
  if (sink) sink(level, concat(parts...));
}

}  // namespace scrooge
