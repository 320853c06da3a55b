// SPDX-License-Identifier: Apache-2.0
#include "backends/cuda/queue.h"

#include <algorithm>
#include <chrono>
#include <thread>

namespace scrooge::backend::cuda {

Status Queue::open() {
  const DriverApi& api = context_.api();
  // Not tied to the legacy default stream, on which the host program's own work may run.
  SCROOGE_RETURN_IF_ERROR(context_.check(api.stream_create(&stream_, kCuStreamNonBlocking), "cuStreamCreate"));
  for (CuEvent& event : events_) {
    SCROOGE_RETURN_IF_ERROR(context_.check(api.event_create(&event, kCuEventDisableTiming), "cuEventCreate"));
  }
  return {};
}

void Queue::close() {
  const DriverApi& api = context_.api();
  for (CuEvent& event : events_) {
    if (event != nullptr) (void)api.event_destroy(event);
    event = nullptr;
  }
  if (stream_ != nullptr) (void)api.stream_destroy(stream_);
  stream_ = nullptr;
}

CuEvent Queue::event_of(uint64_t ticket) const {
  const uint64_t oldest = last_ < kEvents ? 1 : last_ - kEvents + 1;
  return events_[std::max(ticket, oldest) % kEvents];
}

Status Queue::mark() {
  SCROOGE_RETURN_IF_ERROR(
      context_.check(context_.api().event_record(events_[(last_ + 1) % kEvents], stream_), "cuEventRecord"));
  ++last_;
  return {};
}

Status Queue::wait_for(Queue& other, uint64_t ticket) {
  if (ticket <= other_ || ticket <= other.done_) return {};
  if (ticket > other.last_) SCROOGE_RETURN_IF_ERROR(other.mark());
  SCROOGE_RETURN_IF_ERROR(
      context_.check(context_.api().stream_wait(stream_, other.event_of(ticket), 0), "cuStreamWaitEvent"));
  other_ = ticket;
  return {};
}

Status Queue::finish(uint64_t ticket, CancelToken* cancel) {
  using Clock = std::chrono::steady_clock;
  constexpr auto kSpin = std::chrono::microseconds(50);  // a copy of a few numbers takes less
  constexpr auto kPause = std::chrono::microseconds(100);
  if (ticket <= done_) return {};
  if (ticket > last_) SCROOGE_RETURN_IF_ERROR(mark());
  const CuEvent event = event_of(ticket);
  const Clock::time_point start = Clock::now();
  while (true) {
    const CuResult result = context_.api().event_query(event);
    if (result == kCuSuccess) break;
    if (result != kCuNotReady) return context_.check(result, "cuEventQuery");
    if (Clock::now() - start < kSpin) continue;
    SCROOGE_RETURN_IF_ERROR(check_cancelled(cancel));
    std::this_thread::sleep_for(kPause);
  }
  done_ = std::max(done_, ticket);
  return {};
}

Status Queue::finish_all(CancelToken* cancel) {
  SCROOGE_RETURN_IF_ERROR(mark());
  return finish(last_, cancel);
}

}  // namespace scrooge::backend::cuda
