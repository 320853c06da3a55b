// SPDX-License-Identifier: Apache-2.0
#include "src/cli/progress_line.h"

#include <string>

#include "src/cli/cancel_scope.h"
#include "src/cli/progress_text.h"

namespace scrooge::cli {
namespace {

constexpr auto kRedrawEvery = std::chrono::milliseconds(100);

}  // namespace

ProgressLine::ProgressLine(std::FILE* stream, bool silent)
    : stream_(stream), silent_(silent), animated_(is_terminal(stream)), coloured_(wants_colour(stream)) {}

void ProgressLine::update(const scrooge_progress& progress) {
  if (silent_) return;
  if (progress.phase == SCROOGE_PHASE_BLOCK_DONE) {
    clear();
    std::fprintf(stream_, "%s\n", block_line(progress).c_str());
    std::fflush(stream_);
    next_draw_ = {};
    return;
  }
  if (!animated_) return;
  const Clock::time_point now = Clock::now();
  if (now < next_draw_) return;
  next_draw_ = now + kRedrawEvery;
  draw(progress);
}

void ProgressLine::draw(const scrooge_progress& progress) {
  // One column stays free: writing the last one makes some terminals wrap.
  const std::size_t width = terminal_width(stream_) - 1;
  const std::string line = cancel_requested() ? "cancelling ..." : live_line(progress, width);
  std::fprintf(stream_, "\r%s%s%s\x1b[K", coloured_ ? "\x1b[36m" : "", line.c_str(), coloured_ ? "\x1b[0m" : "");
  std::fflush(stream_);
  drawn_ = true;
}

void ProgressLine::notice(Notice kind, std::string_view text) {
  clear();
  print_notice(stream_, kind, text);
}

void ProgressLine::clear() {
  if (!drawn_) return;
  std::fputs("\r\x1b[K", stream_);
  std::fflush(stream_);
  drawn_ = false;
}

}  // namespace scrooge::cli
