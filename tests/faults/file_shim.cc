// SPDX-License-Identifier: Apache-2.0
// Preloaded into the command: counts file calls below one folder and makes the N-th of them go wrong. Environment:
//
//   SCROOGE_FAULT_FOLDER   only files below it count, by absolute path
//   SCROOGE_FAULT_KIND     the calls that count: a FileCall (faults.h) or "all"
//   SCROOGE_FAULT_AT       which of them, from 1; 0 or nothing: none
//   SCROOGE_FAULT_ACTION   "kill-before", "kill-after", "kill-half" (half of a write is done), "short", or an errno
//   SCROOGE_FAULT_ALWAYS   "1": that one and all later ones
//   SCROOGE_FAULT_COUNTS   a file for the number of calls of every kind, written when the process ends by itself
//
// and those of disk_shadow.h, for what a power cut would leave.
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "tests/faults/disk_shadow.h"
#include "tests/faults/faults.h"

namespace {

using scrooge::faults::FileCall;
using scrooge::faults::kFileCallNames;
using scrooge::faults::kFileCalls;

enum class Action { kNone, kKillBefore, kKillAfter, kKillHalf, kShort, kErrno };

std::string_view environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

struct Settings {
  std::string_view folder = environment("SCROOGE_FAULT_FOLDER");
  std::string_view kind = environment("SCROOGE_FAULT_KIND");
  unsigned long at = std::strtoul(environment("SCROOGE_FAULT_AT").data(), nullptr, 10);
  bool always = environment("SCROOGE_FAULT_ALWAYS") == "1";
  Action action = Action::kNone;
  int error = 0;

  Settings() {
    const std::string_view text = environment("SCROOGE_FAULT_ACTION");
    if (text == "kill-before") action = Action::kKillBefore;
    if (text == "kill-after") action = Action::kKillAfter;
    if (text == "kill-half") action = Action::kKillHalf;
    if (text == "short") action = Action::kShort;
    if (!text.empty() && text.front() >= '0' && text.front() <= '9') {
      action = Action::kErrno;
      error = std::atoi(text.data());
    }
  }
};

const Settings& settings() {
  static const Settings result;
  return result;
}

std::array<std::atomic<unsigned long>, kFileCalls> g_counts;
std::atomic<unsigned long> g_counted{0};

// Of the call that is about to be made; kNone for nearly all.
Action next_action(FileCall call) {
  const auto index = static_cast<size_t>(call);
  g_counts[index].fetch_add(1);
  const Settings& s = settings();
  if (s.at == 0 || (s.kind != "all" && s.kind != kFileCallNames[index])) return Action::kNone;
  const unsigned long number = g_counted.fetch_add(1) + 1;
  return number == s.at || (s.always && number > s.at) ? s.action : Action::kNone;
}

void die() {
  (void)::kill(::getpid(), SIGKILL);
  for (;;) ::pause();
}

bool below(const char* path) {
  const std::string_view folder = settings().folder;
  return !folder.empty() && std::strncmp(path, folder.data(), folder.size()) == 0;
}

bool below(int descriptor) {
  const int saved = errno;
  char link[64];
  char target[PATH_MAX] = "";
  (void)std::snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  const ssize_t length = ::readlink(link, target, sizeof target - 1);
  errno = saved;
  return length > 0 && below(target);
}

template <typename Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

// One call: `make(half)` does it, or half of it; `fail(errno)` gives what a failed one returns.
template <typename Make, typename Fail>
auto injected(FileCall call, const Make& make, const Fail& fail) {
  const Action action = next_action(call);
  if (action == Action::kKillBefore) die();
  if (action == Action::kErrno) return fail(settings().error);
  const bool half = action == Action::kShort || action == Action::kKillHalf;
  const auto result = make(half);
  if (action == Action::kKillAfter || action == Action::kKillHalf) die();
  return result;
}

// The usual way to fail.
int minus_one(int error) {
  errno = error;
  return -1;
}

size_t part(size_t bytes, bool half) { return half && bytes > 1 ? bytes / 2 : bytes; }

__attribute__((constructor)) void begin() { scrooge::faults::begin_disk_shadow(); }

__attribute__((destructor)) void write_counts() {
  const std::string_view path = environment("SCROOGE_FAULT_COUNTS");
  if (path.empty()) return;
  std::FILE* const file = std::fopen(path.data(), "w");
  if (file == nullptr) return;
  for (size_t i = 0; i < kFileCalls; ++i) std::fprintf(file, "%s %lu\n", kFileCallNames[i], g_counts[i].load());
  std::fclose(file);
}

// O_TMPFILE is more than one bit; a folder that is opened has one of them.
bool creates(int flags) { return (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE; }

template <typename Make>
int open_call(bool counts, int flags, const Make& make) {
  if (!counts) return make(false);
  return injected(creates(flags) ? FileCall::kCreate : FileCall::kOpen, make, minus_one);
}

mode_t mode_of(int flags, va_list arguments) {
  return creates(flags) ? static_cast<mode_t>(va_arg(arguments, int)) : 0;
}

}  // namespace

// The names that libscrooge and the command import, and those with 64 that other builds of them may.
extern "C" {

#define SCROOGE_SHIM __attribute__((visibility("default")))

SCROOGE_SHIM int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  static auto* const next = real<int(const char*, int, ...)>("open");
  return open_call(below(path), flags, [&](bool) { return next(path, flags, mode); });
}

SCROOGE_SHIM int open64(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return open(path, flags, mode);
}

SCROOGE_SHIM int openat(int folder, const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  static auto* const next = real<int(int, const char*, int, ...)>("openat");
  const bool counts = path[0] == '/' ? below(path) : folder >= 0 && below(folder);
  return open_call(counts, flags, [&](bool) { return next(folder, path, flags, mode); });
}

SCROOGE_SHIM int mkostemp(char* path, int flags) {
  static auto* const next = real<int(char*, int)>("mkostemp");
  return open_call(below(path), O_CREAT, [&](bool) { return next(path, flags); });
}

SCROOGE_SHIM int mkostemp64(char* path, int flags) { return mkostemp(path, flags); }
SCROOGE_SHIM int mkstemp(char* path) { return mkostemp(path, 0); }
SCROOGE_SHIM int mkstemp64(char* path) { return mkostemp(path, 0); }

SCROOGE_SHIM ssize_t pwrite(int file, const void* bytes, size_t size, off_t offset) {
  static auto* const next = real<ssize_t(int, const void*, size_t, off_t)>("pwrite");
  const auto make = [&](bool half) { return next(file, bytes, part(size, half), offset); };
  if (!below(file)) return make(false);
  return injected(FileCall::kWrite, make, [](int error) -> ssize_t { return minus_one(error); });
}

SCROOGE_SHIM ssize_t pwrite64(int file, const void* bytes, size_t size, off_t offset) {
  return pwrite(file, bytes, size, offset);
}

SCROOGE_SHIM ssize_t write(int file, const void* bytes, size_t size) {
  static auto* const next = real<ssize_t(int, const void*, size_t)>("write");
  const auto make = [&](bool half) { return next(file, bytes, part(size, half)); };
  if (!below(file)) return make(false);
  return injected(FileCall::kWrite, make, [](int error) -> ssize_t { return minus_one(error); });
}

SCROOGE_SHIM ssize_t pread(int file, void* bytes, size_t size, off_t offset) {
  static auto* const next = real<ssize_t(int, void*, size_t, off_t)>("pread");
  const auto make = [&](bool half) { return next(file, bytes, part(size, half), offset); };
  if (!below(file)) return make(false);
  return injected(FileCall::kRead, make, [](int error) -> ssize_t { return minus_one(error); });
}

SCROOGE_SHIM ssize_t pread64(int file, void* bytes, size_t size, off_t offset) {
  return pread(file, bytes, size, offset);
}

// Counts, and syncs nothing: only a power cut could tell, for which the shadow stands, and the tests are several times
// as fast.
SCROOGE_SHIM int fsync(int file) {
  static auto* const next = real<int(int)>("fsync");
  if (!below(file)) return next(file);
  const auto make = [&](bool) {
    scrooge::faults::shadow_sync(file);
    return 0;
  };
  return injected(FileCall::kSync, make, minus_one);
}

SCROOGE_SHIM int ftruncate(int file, off_t size) {
  static auto* const next = real<int(int, off_t)>("ftruncate");
  if (!below(file)) return next(file, size);
  return injected(
      FileCall::kTruncate, [&](bool) { return next(file, size); }, minus_one);
}

SCROOGE_SHIM int ftruncate64(int file, off_t size) { return ftruncate(file, size); }

// Gives its error as its value.
SCROOGE_SHIM int posix_fallocate(int file, off_t offset, off_t size) {
  static auto* const next = real<int(int, off_t, off_t)>("posix_fallocate");
  if (!below(file)) return next(file, offset, size);
  return injected(
      FileCall::kAllocate, [&](bool) { return next(file, offset, size); }, [](int error) { return error; });
}

SCROOGE_SHIM int posix_fallocate64(int file, off_t offset, off_t size) { return posix_fallocate(file, offset, size); }

SCROOGE_SHIM int rename(const char* from, const char* to) {
  static auto* const next = real<int(const char*, const char*)>("rename");
  if (!below(to)) return next(from, to);
  return injected(
      FileCall::kRename, [&](bool) { return next(from, to); }, minus_one);
}

SCROOGE_SHIM int unlink(const char* path) {
  static auto* const next = real<int(const char*)>("unlink");
  if (!below(path)) return next(path);
  return injected(
      FileCall::kUnlink, [&](bool) { return next(path); }, minus_one);
}

// Of files only; memory is the other shim's.
SCROOGE_SHIM void* mmap(void* address, size_t size, int protection, int flags, int file, off_t offset) {
  static auto* const next = real<void*(void*, size_t, int, int, int, off_t)>("mmap");
  const auto make = [&](bool) { return next(address, size, protection, flags, file, offset); };
  if (file < 0 || !below(file)) return make(false);
  return injected(FileCall::kMap, make, [](int error) -> void* {
    errno = error;
    return MAP_FAILED;
  });
}

SCROOGE_SHIM void* mmap64(void* address, size_t size, int protection, int flags, int file, off_t offset) {
  return mmap(address, size, protection, flags, file, offset);
}

}  // extern "C"
