// SPDX-License-Identifier: Apache-2.0
// One stream of work on the card, with tickets: mark() gives a number that stands for everything asked for before it.
// Another queue, or the host, waits for a ticket, not for the whole stream, so that copies overlap with kernels.
//
// Tickets are kept as a ring of events. Who asks for a ticket that left the ring waits for the oldest in it, a little
// longer than needed, never shorter.
#pragma once

#include <array>

#include "backends/cuda/driver_context.h"
#include "src/base/cancel.h"

namespace scrooge::backend::cuda {

class Queue {
 public:
  // `context` outlives it and is current in every call but the constructor.
  explicit Queue(DriverContext& context) : context_(context) {}
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;

  Status open();
  void close();
  CuStream stream() const { return stream_; }

  // The ticket that the next mark() gives, for work that is being asked for.
  uint64_t next_ticket() const { return last_ + 1; }
  Status mark();
  // What is asked for from now on starts when the other queue has done `ticket`. A ticket not marked yet is marked now.
  Status wait_for(Queue& other, uint64_t ticket);
  // Returns when `ticket` is done. kCancelled when `cancel`, which may be null, says so; the work then goes on.
  Status finish(uint64_t ticket, CancelToken* cancel);
  Status finish_all(CancelToken* cancel);

 private:
  static constexpr uint64_t kEvents = 64;

  CuEvent event_of(uint64_t ticket) const;

  DriverContext& context_;
  CuStream stream_ = nullptr;
  std::array<CuEvent, kEvents> events_{};
  uint64_t last_ = 0;   // marked
  uint64_t done_ = 0;   // known to be done
  uint64_t other_ = 0;  // the other queue's ticket that this one has waited for
};

}  // namespace scrooge::backend::cuda
