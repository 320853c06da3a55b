// SPDX-License-Identifier: Apache-2.0
#include "src/cli/text_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>

namespace scrooge::cli {
namespace {

namespace fs = std::filesystem;

scrooge_status status_of(int number) {
  switch (number) {
    case ENOENT:
    case ENOTDIR: return SCROOGE_NOT_FOUND;
    case EACCES:
    case EPERM:
    case EROFS: return SCROOGE_PERMISSION_DENIED;
    case ENOSPC:
    case EDQUOT: return SCROOGE_NO_SPACE;
    default: return SCROOGE_IO_ERROR;
  }
}

Error system_error(const std::string& path, const char* what, int number) {
  return Error{status_of(number), path + ": " + what + ": " + std::strerror(number)};
}

std::string folder_of(const std::string& path) {
  const std::string folder = fs::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

// Makes the call again while a signal interrupts it.
template <typename Call>
int uninterrupted(Call call) {
  int result = 0;
  do {
    result = call();
  } while (result < 0 && errno == EINTR);
  return result;
}

// 0, or the errno of the step that failed.
int write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return uninterrupted([&] { return fsync(file); }) == 0 ? 0 : errno;
}

}  // namespace

Expected<std::string> read_stream(std::FILE* stream, const std::string& name) {
  constexpr std::size_t kStep = std::size_t{64} << 10;
  std::string text;
  for (;;) {
    const std::size_t filled = text.size();
    text.resize(filled + kStep);
    const std::size_t got = std::fread(text.data() + filled, 1, kStep, stream);
    text.resize(filled + got);
    if (got == kStep) continue;
    if (std::ferror(stream) != 0) return system_error(name, "cannot be read", errno);
    return text;
  }
}

Expected<std::string> read_text_file(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), &std::fclose);
  if (!file) return system_error(path, "cannot be opened", errno);
  return read_stream(file.get(), path);
}

Expected<void> check_writable(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) {
    return Error{SCROOGE_IO_ERROR, path + ": is a folder; name a file in it"};
  }
  const std::string folder = folder_of(path);
  if (access(folder.c_str(), W_OK | X_OK) != 0) return system_error(folder, "cannot be written", errno);
  return {};
}

Expected<void> write_text_file(const std::string& path, std::string_view text) {
  std::string temporary;
  const int file = uninterrupted([&] {
    temporary = path + ".tmp-XXXXXX";
    return mkstemp(temporary.data());
  });
  if (file < 0) return system_error(path, "cannot be created", errno);
  int number = write_all(file, text);
  // mkstemp makes the file private; give it the mode an ordinary new file would have.
  const mode_t mask = umask(0);
  umask(mask);
  if (number == 0 && fchmod(file, 0666 & ~mask) != 0) number = errno;
  if (close(file) != 0 && number == 0) number = errno;
  if (number == 0 && uninterrupted([&] { return rename(temporary.c_str(), path.c_str()); }) != 0) number = errno;
  if (number != 0) {
    unlink(temporary.c_str());
    return system_error(path, "cannot be written", number);
  }
  return {};
}

bool same_file(const std::string& a, const std::string& b) {
  std::error_code ignored;
  if (fs::equivalent(a, b, ignored)) return true;
  const fs::path left = fs::weakly_canonical(a, ignored);
  return !ignored && left == fs::weakly_canonical(b, ignored) && !ignored;
}

}  // namespace scrooge::cli
