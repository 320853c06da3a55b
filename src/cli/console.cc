// SPDX-License-Identifier: Apache-2.0
#include "src/cli/console.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>

namespace scrooge::cli {
namespace {

constexpr std::size_t kUsualWidth = 80;
constexpr std::size_t kLeastWidth = 20;

struct NoticeStyle {
  const char* label;
  const char* colour;
};

NoticeStyle style_of(Notice notice) {
  switch (notice) {
    case Notice::kError: return {"scrooge", "\x1b[31m"};
    case Notice::kWarning: return {"warning", "\x1b[33m"};
    case Notice::kInfo: return {"info", "\x1b[36m"};
    case Notice::kDebug: break;
  }
  return {"debug", "\x1b[2m"};
}

}  // namespace

bool is_terminal(std::FILE* stream) {
  const char* term = std::getenv("TERM");
  return isatty(fileno(stream)) == 1 && term != nullptr && std::string_view(term) != "dumb";
}

bool wants_colour(std::FILE* stream) {
  const char* refused = std::getenv("NO_COLOR");
  return is_terminal(stream) && (refused == nullptr || *refused == '\0');
}

std::size_t terminal_width(std::FILE* stream) {
  winsize size{};
  if (ioctl(fileno(stream), TIOCGWINSZ, &size) != 0 || size.ws_col < kLeastWidth) return kUsualWidth;
  return size.ws_col;
}

void print_notice(std::FILE* stream, Notice notice, std::string_view text) {
  const NoticeStyle style = style_of(notice);
  const bool colour = wants_colour(stream);
  std::fprintf(stream, "%s%s:%s %s\n", colour ? style.colour : "", style.label, colour ? "\x1b[0m" : "",
               without_control_characters(text).c_str());
}

std::string without_control_characters(std::string_view text) {
  std::string clean(text);
  for (char& c : clean) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) c = ' ';
  }
  return clean;
}

}  // namespace scrooge::cli
