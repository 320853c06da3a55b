// SPDX-License-Identifier: Apache-2.0
// What every function of the C ABI shares: status to error object, exceptions stopped at the boundary, option structs
// of older or newer callers, text into caller buffers.
#pragma once

#include <algorithm>
#include <cstring>
#include <exception>
#include <new>
#include <string>
#include <string_view>

#include "include/scrooge/scrooge.h"
#include "src/base/log.h"
#include "src/base/memory_budget.h"
#include "src/base/result.h"
#include "src/pipeline/progress.h"

struct scrooge_error {
  scrooge_status status;
  std::string message;
};

namespace scrooge::capi {

// Stores the failure in *out (when out is not null) and returns its code.
scrooge_status fail(const Status& status, scrooge_error** out);

// Runs `body`, a callable giving Status. The library throws nothing itself; what the standard library throws (a failed
// allocation) becomes a status here.
template <typename Body>
scrooge_status guarded(scrooge_error** out, Body&& body) noexcept {
  if (out != nullptr) *out = nullptr;
  try {
    const Status status = body();
    return status.ok() ? SCROOGE_OK : fail(status, out);
  } catch (const std::bad_alloc&) {
    return SCROOGE_OUT_OF_MEMORY;  // an error object would need memory too
  } catch (const std::exception& exception) {
    try {
      return fail(error(StatusCode::kInternal, "unexpected: ", exception.what()), out);
    } catch (...) {
      return SCROOGE_INTERNAL;
    }
  } catch (...) {
    return SCROOGE_INTERNAL;
  }
}

// Gives the caller's struct its defaults: as much of them as the caller's version of the struct has.
template <typename Options>
void init_options(Options* options, size_t size, Options defaults) {
  if (options == nullptr) return;
  const size_t known = std::min(size, sizeof(Options));
  std::memset(static_cast<void*>(options), 0, size);
  defaults.struct_size = static_cast<uint32_t>(size);
  std::memcpy(static_cast<void*>(options), &defaults, known);
}

// Copies a caller's option struct over defaults: fields the caller's version does not know keep them. `minimum` is the
// size of the first release's struct.
template <typename Options>
Status read_options(const Options* given, size_t minimum, std::string_view name, Options& out) {
  if (given == nullptr) return error(StatusCode::kInvalidArgument, name, ": null");
  if (given->struct_size < minimum) {
    return error(StatusCode::kInvalidArgument, name, ".struct_size: ", given->struct_size, ", expected at least ",
                 minimum, "; call the init function first");
  }
  std::memcpy(&out, given, std::min<size_t>(given->struct_size, sizeof(Options)));
  out.struct_size = sizeof(Options);
  return {};
}

// The other way: fills no more of the caller's struct than it has room for.
template <typename Info>
Status write_info(const Info& info, size_t minimum, std::string_view name, Info* out) {
  if (out == nullptr) return error(StatusCode::kInvalidArgument, name, ": null");
  const uint32_t size = out->struct_size;
  if (size < minimum) {
    return error(StatusCode::kInvalidArgument, name, ".struct_size: ", size, ", expected at least ", minimum,
                 "; set it to sizeof the struct before the call");
  }
  std::memcpy(out, &info, std::min<size_t>(size, sizeof(Info)));
  out->struct_size = size;
  return {};
}

// `text` and its NUL into (buffer, capacity); *required is always set. Capacity 0 only asks for the size.
Status write_text(std::string_view text, char* buffer, size_t capacity, size_t* required);

inline std::string text_or_empty(const char* text) { return text == nullptr ? std::string() : std::string(text); }

LogSink make_log(scrooge_log_fn log, void* user);
pipeline::ProgressSink make_progress(scrooge_progress_fn progress, void* user);
Status read_allocator(const scrooge_allocator* given, AllocatorHook& out);

}  // namespace scrooge::capi
