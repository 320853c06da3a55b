// SPDX-License-Identifier: Apache-2.0
#include "src/capi/c_support.h"

namespace scrooge::capi {

scrooge_status fail(const Status& status, scrooge_error** out) {
  if (out != nullptr) {
    *out = new (std::nothrow) scrooge_error{static_cast<scrooge_status>(status.code()), std::string(status.message())};
  }
  return static_cast<scrooge_status>(status.code());
}

Status write_text(std::string_view text, char* buffer, size_t capacity, size_t* required) {
  if (required == nullptr) return error(StatusCode::kInvalidArgument, "required: null");
  *required = text.size() + 1;
  if (capacity == 0) return {};
  if (buffer == nullptr) return error(StatusCode::kInvalidArgument, "buffer: null");
  if (capacity < *required) {
    return error(StatusCode::kInvalidArgument, "capacity: ", capacity, ", the text needs ", *required);
  }
  std::memcpy(buffer, text.data(), text.size());
  buffer[text.size()] = '\0';
  return {};
}

LogSink make_log(scrooge_log_fn log, void* user) {
  if (log == nullptr) return {};
  return [log, user](LogLevel level, std::string_view text) {
    log(user, static_cast<int32_t>(level), std::string(text).c_str());
  };
}

pipeline::ProgressSink make_progress(scrooge_progress_fn progress, void* user) {
  if (progress == nullptr) return {};
  return [progress, user](const pipeline::Progress& p) {
    scrooge_progress out{};
    out.struct_size = sizeof out;
    out.phase = static_cast<int32_t>(p.phase);
    out.block = p.block;
    out.blocks = p.blocks;
    out.fraction = p.fraction;
    out.elapsed_seconds = p.elapsed_seconds;
    out.eta_seconds = p.eta_seconds;
    out.tokens_per_second = p.tokens_per_second;
    out.calibrate_seconds = p.calibrate_seconds;
    out.quantize_seconds = p.quantize_seconds;
    out.loss = p.loss;
    out.loss_rtn = p.loss_rtn;
    out.memory_before = p.memory_before;
    out.memory_after = p.memory_after;
    out.memory_peak = p.memory_peak;
    out.memory_limit = p.memory_limit;
    out.stage = p.stage;
    out.device_memory_before = p.device_memory_before;
    out.device_memory_after = p.device_memory_after;
    out.device_memory_peak = p.device_memory_peak;
    out.device_memory_limit = p.device_memory_limit;
    return progress(user, &out) == SCROOGE_CONTINUE;
  };
}

Status read_allocator(const scrooge_allocator* given, AllocatorHook& out) {
  if (given == nullptr) return {};
  scrooge_allocator hook{};
  SCROOGE_RETURN_IF_ERROR(read_options(given, sizeof(scrooge_allocator), "allocator", hook));
  if (hook.allocate == nullptr || hook.release == nullptr) {
    return error(StatusCode::kInvalidArgument, "allocator: both functions must be set");
  }
  out.allocate = [hook](size_t bytes, size_t alignment) { return hook.allocate(hook.user, bytes, alignment); };
  out.release = [hook](void* pointer, size_t bytes) { hook.release(hook.user, pointer, bytes); };
  return {};
}

}  // namespace scrooge::capi
