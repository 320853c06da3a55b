// SPDX-License-Identifier: Apache-2.0
#include "tests/support/cuda_shim/fake_driver.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

#include "backends/cuda/cuda_status.h"
#include "tests/support/cuda_shim/emulator.h"
#include "tests/support/cuda_shim/guarded_memory.h"
#include "tests/support/seeded_values.h"

namespace scrooge::backend::cuda {

struct CuContextHandle {};
struct CuEventHandle {
  uint64_t recorded = 0, completed = 0;
  CuStream stream = nullptr;  // of the last record
};
struct CuModuleHandle {
  std::string op;
};
struct CuFunctionHandle {
  const test::shim::KernelEntry* kernel = nullptr;
  unsigned shared_bytes = (48 << 10) - (4 << 10);  // as if 4 KiB of it were static
};

}  // namespace scrooge::backend::cuda

namespace scrooge::test::shim {
namespace {

using namespace scrooge::backend::cuda;

constexpr CuResult kInvalidContext = 201;
constexpr CuResult kInvalidHandle = 400;
constexpr int kSharedOptin = 99 << 10;  // of a card of capability 8.6

// A piece of work, or (event set) a wait for a version of an event.
struct Task {
  std::function<CuResult()> run;
  CuEvent event = nullptr;
  uint64_t version = 0;
};

}  // namespace
}  // namespace scrooge::test::shim

struct scrooge::backend::cuda::CuStreamHandle {
  std::deque<scrooge::test::shim::Task> tasks;
};

namespace scrooge::test::shim {
namespace {

struct Driver {
  std::mutex mutex;
  GuardedMemory memory;
  uint64_t card_bytes = uint64_t{8} << 30;
  int capability = 86;
  CuContextHandle context;
  int retained = 0;
  std::map<void*, size_t> pinned;
  std::set<CuStream> streams;
  std::set<CuEvent> events;
  std::set<CuModule> modules;
  std::vector<std::unique_ptr<CuFunctionHandle>> functions;
  CuResult lost = kCuSuccess;
  std::map<std::string, std::pair<int, CuResult>, std::less<>> failures;
  uint64_t kernels = 0;
  SeededValues coin{7};
};

Driver& driver() {
  static Driver* const made = new Driver;  // outlives everything that may still give back to it
  return *made;
}

thread_local int g_pushed = 0;

// A kernel outside its buffers hits a guard page; say which before the process ends.
void on_bad_access(int signal) {
  std::fprintf(stderr, "memory access outside every buffer: %s\n", running_kernel());
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

CuResult planned_failure(Driver& d, std::string_view symbol) {
  const auto at = d.failures.find(symbol);
  if (at == d.failures.end() || --at->second.first > 0) return kCuSuccess;
  const CuResult result = at->second.second;
  d.failures.erase(at);
  if (is_sticky(result) && d.retained > 0) d.lost = result;
  return result;
}

enum class Needs { kNothing, kContext };

// The head of every function: what was planned, what was lost, and whether a context is there.
CuResult enter(Driver& d, std::string_view symbol, Needs needs) {
  if (const CuResult planned = planned_failure(d, symbol); planned != kCuSuccess) return planned;
  if (needs == Needs::kNothing) return kCuSuccess;
  if (d.lost != kCuSuccess) return d.lost;
  return g_pushed > 0 && d.retained > 0 ? kCuSuccess : kInvalidContext;
}

#define SHIM_ENTER(symbol, needs)      \
  Driver& d = driver();                \
  const std::lock_guard lock(d.mutex); \
  if (const CuResult entered = enter(d, symbol, needs); entered != kCuSuccess) return entered

// Runs the first task of a stream, or of the stream it waits for. False when there is nothing to run.
bool step(Driver& d, CuStream stream) {
  if (stream->tasks.empty()) return false;
  const Task& first = stream->tasks.front();
  if (first.event != nullptr && first.event->completed < first.version) return step(d, first.event->stream);
  const Task task = first;
  stream->tasks.pop_front();
  if (task.run == nullptr || d.lost != kCuSuccess) return true;
  const CuResult result = task.run();
  if (result != kCuSuccess && d.lost == kCuSuccess) d.lost = is_sticky(result) ? result : kCuLaunchFailed;
  return true;
}

void drain(Driver& d, CuStream stream) {
  while (step(d, stream)) {
  }
}

CuResult put(Driver& d, CuStream stream, Task task) {
  if (!d.streams.contains(stream)) return kInvalidHandle;
  stream->tasks.push_back(std::move(task));
  if (d.coin.below(4) == 0) drain(d, stream);
  return d.lost;
}

bool is_pinned(const Driver& d, const void* at, size_t bytes) {
  for (const auto& [begin, size] : d.pinned) {
    const auto offset = static_cast<const char*>(at) - static_cast<const char*>(begin);
    if (offset >= 0 && static_cast<size_t>(offset) + bytes <= size) return true;
  }
  return false;
}

CuResult init(unsigned) {
  SHIM_ENTER("cuInit", Needs::kNothing);
  return kCuSuccess;
}
CuResult driver_version(int* version) {
  SHIM_ENTER("cuDriverGetVersion", Needs::kNothing);
  *version = 13000;
  return kCuSuccess;
}
CuResult error_name(CuResult error, const char** name) {
  *name = error == kCuOutOfMemory      ? "CUDA_ERROR_OUT_OF_MEMORY"
          : error == kCuIllegalAddress ? "CUDA_ERROR_ILLEGAL_ADDRESS"
          : error == kCuLaunchFailed   ? "CUDA_ERROR_LAUNCH_FAILED"
                                       : "CUDA_ERROR_OF_THE_FAKE_DRIVER";
  return kCuSuccess;
}
CuResult error_string(CuResult, const char** text) {
  *text = "said by the fake driver";
  return kCuSuccess;
}
CuResult device_count(int* count) {
  SHIM_ENTER("cuDeviceGetCount", Needs::kNothing);
  *count = 1;
  return kCuSuccess;
}
CuResult device_get(CuDevice* device, int ordinal) {
  SHIM_ENTER("cuDeviceGet", Needs::kNothing);
  *device = ordinal;
  return ordinal == 0 ? kCuSuccess : kCuInvalidDevice;
}
CuResult device_name(char* name, int length, CuDevice) {
  std::snprintf(name, static_cast<size_t>(length), "emulated card");
  return kCuSuccess;
}
CuResult device_attribute(int* value, int attribute, CuDevice) {
  SHIM_ENTER("cuDeviceGetAttribute", Needs::kNothing);
  switch (attribute) {
    case kCuAttributeMultiprocessorCount: *value = 3; break;
    case kCuAttributeCapabilityMajor: *value = d.capability / 10; break;
    case kCuAttributeCapabilityMinor: *value = d.capability % 10; break;
    case kCuAttributeSharedMemoryOptin: *value = kSharedOptin; break;
    default: *value = 0;
  }
  return kCuSuccess;
}
CuResult device_total_memory(size_t* bytes, CuDevice) {
  SHIM_ENTER("cuDeviceTotalMem_v2", Needs::kNothing);
  *bytes = d.card_bytes;
  return kCuSuccess;
}
CuResult primary_context_retain(CuContext* context, CuDevice) {
  SHIM_ENTER("cuDevicePrimaryCtxRetain", Needs::kNothing);
  ++d.retained;
  *context = &d.context;
  return kCuSuccess;
}
// With the last one everything in the context ends, and so does an error that stuck to it.
CuResult primary_context_release(CuDevice) {
  Driver& d = driver();
  const std::lock_guard lock(d.mutex);
  if (--d.retained == 0) d.lost = kCuSuccess;
  return kCuSuccess;
}
CuResult context_push(CuContext context) {
  SHIM_ENTER("cuCtxPushCurrent_v2", Needs::kNothing);
  if (context != &d.context || d.retained == 0) return kInvalidContext;
  ++g_pushed;
  return kCuSuccess;
}
CuResult context_pop(CuContext* context) {
  if (g_pushed == 0) return kInvalidContext;
  --g_pushed;
  *context = &driver().context;
  return kCuSuccess;
}
CuResult memory_info(size_t* free, size_t* total) {
  SHIM_ENTER("cuMemGetInfo_v2", Needs::kContext);
  *total = d.card_bytes;
  *free = d.card_bytes - d.memory.bytes();
  return kCuSuccess;
}
CuResult memory_alloc(CuAddress* address, size_t bytes) {
  SHIM_ENTER("cuMemAlloc_v2", Needs::kContext);
  if (bytes == 0) return kCuInvalidValue;
  if (bytes > d.card_bytes - d.memory.bytes()) return kCuOutOfMemory;
  *address = d.memory.allocate(bytes);
  return *address != 0 ? kCuSuccess : kCuOutOfMemory;
}
// Does not wait for work that uses the memory, so that a caller who should have waited is caught by the guard.
CuResult memory_free(CuAddress address) {
  Driver& d = driver();
  const std::lock_guard lock(d.mutex);
  return d.memory.release(address) ? d.lost : kCuInvalidValue;
}
CuResult host_alloc(void** pointer, size_t bytes, unsigned) {
  SHIM_ENTER("cuMemHostAlloc", Needs::kContext);
  *pointer = std::malloc(bytes);
  if (*pointer == nullptr) return kCuOutOfMemory;
  d.pinned[*pointer] = bytes;
  return kCuSuccess;
}
CuResult host_free(void* pointer) {
  Driver& d = driver();
  const std::lock_guard lock(d.mutex);
  if (d.pinned.erase(pointer) == 0) return kCuInvalidValue;
  std::free(pointer);
  return d.lost;
}
CuResult copy_to_device(CuAddress to, const void* from, size_t bytes, CuStream stream) {
  SHIM_ENTER("cuMemcpyHtoDAsync_v2", Needs::kContext);
  if (!d.memory.covers(to, bytes) || !is_pinned(d, from, bytes)) return kCuInvalidValue;
  return put(d, stream, {[=] {
               std::memcpy(reinterpret_cast<void*>(to), from, bytes);
               return kCuSuccess;
             }});
}
CuResult copy_to_host(void* to, CuAddress from, size_t bytes, CuStream stream) {
  SHIM_ENTER("cuMemcpyDtoHAsync_v2", Needs::kContext);
  if (!d.memory.covers(from, bytes) || !is_pinned(d, to, bytes)) return kCuInvalidValue;
  return put(d, stream, {[=] {
               std::memcpy(to, reinterpret_cast<const void*>(from), bytes);
               return kCuSuccess;
             }});
}
CuResult copy_on_device(CuAddress to, CuAddress from, size_t bytes, CuStream stream) {
  SHIM_ENTER("cuMemcpyDtoDAsync_v2", Needs::kContext);
  if (!d.memory.covers(from, bytes) || !d.memory.covers(to, bytes)) return kCuInvalidValue;
  return put(d, stream, {[=] {
               std::memmove(reinterpret_cast<void*>(to), reinterpret_cast<const void*>(from), bytes);
               return kCuSuccess;
             }});
}
CuResult fill_bytes(CuAddress to, unsigned char value, size_t bytes, CuStream stream) {
  SHIM_ENTER("cuMemsetD8Async", Needs::kContext);
  if (!d.memory.covers(to, bytes)) return kCuInvalidValue;
  return put(d, stream, {[=] {
               std::memset(reinterpret_cast<void*>(to), value, bytes);
               return kCuSuccess;
             }});
}
CuResult stream_create(CuStream* stream, unsigned) {
  SHIM_ENTER("cuStreamCreate", Needs::kContext);
  *stream = new CuStreamHandle;
  d.streams.insert(*stream);
  return kCuSuccess;
}
CuResult stream_destroy(CuStream stream) {
  Driver& d = driver();
  const std::lock_guard lock(d.mutex);
  if (d.streams.erase(stream) == 0) return kInvalidHandle;
  delete stream;
  return d.lost;
}
CuResult stream_wait(CuStream stream, CuEvent event, unsigned) {
  SHIM_ENTER("cuStreamWaitEvent", Needs::kContext);
  if (!d.events.contains(event)) return kInvalidHandle;
  return put(d, stream, {nullptr, event, event->recorded});
}
CuResult event_create(CuEvent* event, unsigned) {
  SHIM_ENTER("cuEventCreate", Needs::kContext);
  *event = new CuEventHandle;
  d.events.insert(*event);
  return kCuSuccess;
}
CuResult event_destroy(CuEvent event) {
  Driver& d = driver();
  const std::lock_guard lock(d.mutex);
  if (d.events.erase(event) == 0) return kInvalidHandle;
  delete event;
  return d.lost;
}
CuResult event_record(CuEvent event, CuStream stream) {
  SHIM_ENTER("cuEventRecord", Needs::kContext);
  if (!d.events.contains(event)) return kInvalidHandle;
  event->stream = stream;
  const uint64_t version = ++event->recorded;
  return put(d, stream, {[=] {
               event->completed = std::max(event->completed, version);
               return kCuSuccess;
             }});
}
CuResult event_query(CuEvent event) {
  SHIM_ENTER("cuEventQuery", Needs::kContext);
  if (!d.events.contains(event)) return kInvalidHandle;
  if (event->completed < event->recorded) step(d, event->stream);
  if (d.lost != kCuSuccess) return d.lost;
  return event->completed < event->recorded ? kCuNotReady : kCuSuccess;
}
CuResult event_synchronize(CuEvent event) {
  SHIM_ENTER("cuEventSynchronize", Needs::kContext);
  if (!d.events.contains(event)) return kInvalidHandle;
  while (event->completed < event->recorded && step(d, event->stream)) {
  }
  return d.lost;
}
CuResult module_load(CuModule* module, const void* image) {
  SHIM_ENTER("cuModuleLoadData", Needs::kContext);
  *module = new CuModuleHandle{static_cast<const char*>(image)};  // the shim's images are the names of the ops
  d.modules.insert(*module);
  return kCuSuccess;
}
CuResult module_unload(CuModule module) {
  Driver& d = driver();
  const std::lock_guard lock(d.mutex);
  if (d.modules.erase(module) == 0) return kInvalidHandle;
  delete module;
  return d.lost;
}
CuResult module_function(CuFunction* function, CuModule module, const char* name) {
  SHIM_ENTER("cuModuleGetFunction", Needs::kContext);
  const KernelEntry* const kernel = find_kernel(module->op.c_str(), name);
  if (kernel == nullptr) return kCuNotFound;
  d.functions.push_back(std::make_unique<CuFunctionHandle>(CuFunctionHandle{kernel}));
  *function = d.functions.back().get();
  return kCuSuccess;
}
CuResult function_attribute(CuFunction function, int attribute, int value) {
  SHIM_ENTER("cuFuncSetAttribute", Needs::kContext);
  if (attribute != kCuFunctionMaxDynamicShared || value > kSharedOptin) return kCuInvalidValue;
  function->shared_bytes = static_cast<unsigned>(value);
  return kCuSuccess;
}

CuResult run_now(Driver& d, const KernelEntry& kernel, const Grid& grid, const void* arguments) {
  if (const CuResult planned = planned_failure(d, "kernel"); planned != kCuSuccess) return planned;
  ++d.kernels;
  std::string failure = run_kernel(kernel, grid, arguments);
  if (failure.empty()) {
    failure = d.memory.damage();
    if (failure.empty()) return kCuSuccess;
    failure = std::string(kernel.name) + ": " + failure;
  }
  std::fprintf(stderr, "%s\n", failure.c_str());
  return kCuLaunchFailed;
}

CuResult launch(CuFunction function, unsigned x, unsigned y, unsigned z, unsigned threads, unsigned block_y,
                unsigned block_z, unsigned shared_bytes, CuStream stream, void** parameters, void** extra) {
  SHIM_ENTER("cuLaunchKernel", Needs::kContext);
  if (x == 0 || y == 0 || z == 0 || y > 65535 || z > 65535 || block_y != 1 || block_z != 1 || extra != nullptr ||
      shared_bytes > function->shared_bytes) {
    return kCuInvalidValue;
  }
  if (threads > function->kernel->most_threads) return kCuLaunchOutOfResources;
  // The driver copies the parameters at the call.
  const auto* const bytes = static_cast<const char*>(parameters[0]);
  const auto arguments = std::make_shared<std::vector<char>>(bytes, bytes + function->kernel->argument_bytes);
  const Grid grid{{x, y, z}, threads, shared_bytes};
  const KernelEntry* const kernel = function->kernel;
  return put(d, stream, {[&d, kernel, grid, arguments] { return run_now(d, *kernel, grid, arguments->data()); }});
}

DriverApi make_table() {
  std::signal(SIGSEGV, on_bad_access);
  DriverApi api;
#define SHIM_MEMBER(member, symbol, parameters) api.member = member;
  SCROOGE_CUDA_DRIVER_FUNCTIONS(SHIM_MEMBER)
#undef SHIM_MEMBER
  return api;
}

}  // namespace

const DriverApi& fake_driver() {
  static const DriverApi table = make_table();
  return table;
}

void fail_call(std::string_view symbol, int nth, CuResult result) {
  Driver& d = driver();
  const std::lock_guard lock(d.mutex);
  d.failures[std::string(symbol)] = {nth, result};
}
CuResult put_work(CuStream stream, std::function<CuResult()> work) {
  SHIM_ENTER("cublasLtMatmul", Needs::kContext);
  return put(d, stream, {std::move(work)});
}
bool covers(uint64_t address, uint64_t bytes) {
  Driver& d = driver();
  const std::lock_guard lock(d.mutex);
  return d.memory.covers(address, bytes);
}
void fail_kernel(int nth, CuResult result) { fail_call("kernel", nth, result); }
void fail_nothing() {
  Driver& d = driver();
  const std::lock_guard lock(d.mutex);
  d.failures.clear();
}
void set_card_memory(uint64_t bytes) { driver().card_bytes = bytes; }
void set_card_capability(int capability) { driver().capability = capability; }

Outstanding outstanding() {
  Driver& d = driver();
  const std::lock_guard lock(d.mutex);
  return {d.retained,       d.memory.count(), d.memory.bytes(), d.pinned.size(),
          d.streams.size(), d.events.size(),  d.modules.size()};
}
uint64_t kernels_run() { return driver().kernels; }

}  // namespace scrooge::test::shim
