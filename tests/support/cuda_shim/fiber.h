// SPDX-License-Identifier: Apache-2.0
// Stackful coroutines: start() prepares one, switch_fiber() changes places. A switch is a handful of instructions on
// x86-64; elsewhere it goes through ucontext, which asks the system for the signal mask each time.
#pragma once

#include <cstddef>

#if !defined(__x86_64__)
#include <ucontext.h>
#endif

namespace scrooge::test::shim {

struct Fiber {
#if defined(__x86_64__)
  void* stack_pointer = nullptr;
#else
  ucontext_t context;
#endif
};

// `entry` never returns. The stack belongs to the caller.
void start_fiber(Fiber& fiber, std::byte* stack, size_t bytes, void (*entry)());
void switch_fiber(Fiber& from, Fiber& to);

}  // namespace scrooge::test::shim
