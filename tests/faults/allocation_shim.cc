// SPDX-License-Identifier: Apache-2.0
#include "tests/faults/allocation_shim.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "include/scrooge/scrooge.h"

// glibc's own names for its allocator, which the ones below hide.
extern "C" {
void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* block, size_t size);
void* __libc_memalign(size_t alignment, size_t size);
void __libc_free(void* block);
}

namespace {

std::atomic<bool> g_counting{false};
std::atomic<unsigned long> g_count{0};
std::atomic<unsigned long> g_at{0};
std::atomic<bool> g_always{false};
std::atomic<long> g_blocks{0};
std::atomic<long> g_bytes{0};
std::atomic<long> g_maps{0};

thread_local bool t_tracing = false;

std::atomic<bool> g_first_use{false};

// oneDNN 2.6 writes through null when it is refused, the OpenMP run-time ends the process, and so does simdjson at its
// first use: theirs are granted.
bool asked_by_others() {
  constexpr int kDeepest = 64;
  void* frames[kDeepest];
  t_tracing = true;
  const int count = ::backtrace(frames, kDeepest);
  bool found = false;
  for (int i = 0; i < count && !found; ++i) {
    Dl_info info{};
    if (::dladdr(frames[i], &info) == 0 || info.dli_fname == nullptr) continue;
    found = std::strstr(info.dli_fname, "libdnnl") != nullptr || std::strstr(info.dli_fname, "libgomp") != nullptr ||
            (g_first_use && std::strstr(info.dli_fname, "libsimdjson") != nullptr);
  }
  t_tracing = false;
  return found;
}

// A debugger's place to stop.
__attribute__((noinline)) void refuse() { errno = ENOMEM; }

bool refused() {
  if (!g_counting.load(std::memory_order_relaxed) || t_tracing) return false;
  const unsigned long number = g_count.fetch_add(1) + 1;
  const unsigned long at = g_at.load();
  if (at == 0 || (number != at && !(g_always.load() && number > at)) || asked_by_others()) return false;
  refuse();
  return true;
}

void* taken(void* block) {
  if (block == nullptr) return nullptr;
  g_blocks.fetch_add(1, std::memory_order_relaxed);
  g_bytes.fetch_add(static_cast<long>(malloc_usable_size(block)), std::memory_order_relaxed);
  return block;
}

void given_back(void* block) {
  if (block == nullptr) return;
  g_blocks.fetch_sub(1, std::memory_order_relaxed);
  g_bytes.fetch_sub(static_cast<long>(malloc_usable_size(block)), std::memory_order_relaxed);
}

template <typename Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

const char* environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

int (*g_main)(int, char**, char**) = nullptr;

// Not of a program that is merely linked with this.
bool steered_by_environment() { return environment("SCROOGE_REFUSE_COUNT")[0] != '\0'; }

int counted_main(int argc, char** argv, char** variables) {
  g_first_use = true;
  const int result = g_main(argc, argv, variables);
  const unsigned long count = scrooge::faults::stop_failing();
  if (std::FILE* const file = std::fopen(environment("SCROOGE_REFUSE_COUNT"), "w")) {
    std::fprintf(file, "%lu\n", count);
    std::fclose(file);
  }
  return result;
}

}  // namespace

namespace scrooge::faults {

#define SCROOGE_SHIM __attribute__((visibility("default")))

SCROOGE_SHIM void fail_allocation(unsigned long at, bool always) {
  void* frame = nullptr;
  (void)::backtrace(&frame, 1);  // loads what it needs
  g_at = at;
  g_always = always;
  g_count = 0;
  g_counting = true;
}

SCROOGE_SHIM unsigned long stop_failing() {
  g_counting = false;
  return g_count;
}

SCROOGE_SHIM Held held() { return {g_blocks, g_bytes, g_maps}; }

}  // namespace scrooge::faults

extern "C" {

SCROOGE_SHIM void* malloc(size_t size) { return refused() ? nullptr : taken(__libc_malloc(size)); }

SCROOGE_SHIM void* calloc(size_t count, size_t size) { return refused() ? nullptr : taken(__libc_calloc(count, size)); }

SCROOGE_SHIM void* realloc(void* block, size_t size) {
  if (refused()) return nullptr;
  const long before = block == nullptr ? 0 : static_cast<long>(malloc_usable_size(block));
  void* const result = __libc_realloc(block, size);
  if (result == nullptr && size != 0) return nullptr;
  g_blocks.fetch_sub(block == nullptr ? 0 : 1, std::memory_order_relaxed);
  g_bytes.fetch_sub(before, std::memory_order_relaxed);
  return taken(result);
}

SCROOGE_SHIM void* memalign(size_t alignment, size_t size) {
  return refused() ? nullptr : taken(__libc_memalign(alignment, size));
}

SCROOGE_SHIM void* aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

SCROOGE_SHIM int posix_memalign(void** block, size_t alignment, size_t size) {
  if (alignment % sizeof(void*) != 0 || (alignment & (alignment - 1)) != 0) return EINVAL;
  void* const result = memalign(alignment, size);
  if (result == nullptr) return ENOMEM;
  *block = result;
  return 0;
}

SCROOGE_SHIM void free(void* block) {
  given_back(block);
  __libc_free(block);
}

SCROOGE_SHIM void* mmap(void* address, size_t size, int protection, int flags, int file, off_t offset) {
  static auto* const next = real<void*(void*, size_t, int, int, int, off_t)>("mmap");
  if ((flags & MAP_ANONYMOUS) != 0 && refused()) return MAP_FAILED;
  void* const result = next(address, size, protection, flags, file, offset);
  if (result != MAP_FAILED) g_maps.fetch_add(1, std::memory_order_relaxed);
  return result;
}

SCROOGE_SHIM void* mmap64(void* address, size_t size, int protection, int flags, int file, off_t offset) {
  return mmap(address, size, protection, flags, file, offset);
}

SCROOGE_SHIM int munmap(void* address, size_t size) {
  static auto* const next = real<int(void*, size_t)>("munmap");
  const int result = next(address, size);
  if (result == 0) g_maps.fetch_sub(1, std::memory_order_relaxed);
  return result;
}

// Puts counted_main in the place of a program's main.
SCROOGE_SHIM int __libc_start_main(int (*main_function)(int, char**, char**), int argc, char** argv, void (*init)(),
                                   void (*finish)(), void (*loader_finish)(), void* stack_end) {
  using Start = int(int (*)(int, char**, char**), int, char**, void (*)(), void (*)(), void (*)(), void*);
  g_main = main_function;
  auto* const next = real<Start>("__libc_start_main");
  return next(steered_by_environment() ? &counted_main : main_function, argc, argv, init, finish, loader_finish,
              stack_end);
}

// The library's, where the command gives the work to it: what parses the options before does not bear a refusal.
SCROOGE_SHIM scrooge_status scrooge_job_prepare(const scrooge_quantize_options* options, scrooge_job** job,
                                                scrooge_error** error) {
  using Prepare = scrooge_status(const scrooge_quantize_options*, scrooge_job**, scrooge_error**);
  static auto* const next = real<Prepare>("scrooge_job_prepare");
  if (g_first_use) {
    scrooge::faults::fail_allocation(std::strtoul(environment("SCROOGE_REFUSE_AT"), nullptr, 10),
                                     environment("SCROOGE_REFUSE_ALWAYS")[0] == '1');
  }
  return next(options, job, error);
}

}  // extern "C"
