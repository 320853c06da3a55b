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

#if defined(__x86_64__)
// Saves what a callee must keep, changes stacks, restores the same of the other.
extern "C" void cuda_shim_switch(void** from, void* to);
inline void switch_fiber(Fiber& from, Fiber& to) { cuda_shim_switch(&from.stack_pointer, to.stack_pointer); }
// Of a fiber whose turn comes soon: most of a switch is waiting for its stack.
inline void prefetch_fiber(const Fiber& fiber) {
  const auto* const top = static_cast<const char*>(fiber.stack_pointer);
  for (int line = 0; line < 4; ++line) __builtin_prefetch(top + 64 * line, 1);
}
#else
void switch_fiber(Fiber& from, Fiber& to);
inline void prefetch_fiber(const Fiber&) {}
#endif

}  // namespace scrooge::test::shim
