// SPDX-License-Identifier: Apache-2.0
#include "src/cli/session.h"

#include <algorithm>

namespace scrooge::cli {

Session::Session(const SessionOptions& options)
    : line_(stderr, options.quiet), quiet_(options.quiet), verbose_(options.verbose) {}

void Session::remark(const std::string& text) {
  if (!quiet_) line_.notice(Notice::kInfo, text);
}

int32_t Session::on_progress(void* user, const scrooge_progress* progress) {
  auto& session = *static_cast<Session*>(user);
  session.peak_bytes_ = std::max(session.peak_bytes_, progress->memory_peak);
  session.device_peak_bytes_ = std::max(session.device_peak_bytes_, progress->device_memory_peak);
  if (progress->phase == SCROOGE_PHASE_BLOCK_DONE) {
    session.loss_ += progress->loss;
    session.loss_rtn_ += progress->loss_rtn;
  }
  session.line_.update(*progress);
  return cancel_requested() ? SCROOGE_CANCEL : SCROOGE_CONTINUE;
}

void Session::on_log(void* user, int32_t level, const char* text) {
  auto& session = *static_cast<Session*>(user);
  switch (level) {
    case SCROOGE_LOG_ERROR:
    case SCROOGE_LOG_WARNING: session.line_.notice(Notice::kWarning, text); return;
    case SCROOGE_LOG_INFO:
      if (session.verbose_) session.line_.notice(Notice::kInfo, text);
      return;
    default:
      if (session.verbose_) session.line_.notice(Notice::kDebug, text);
      return;
  }
}

}  // namespace scrooge::cli
