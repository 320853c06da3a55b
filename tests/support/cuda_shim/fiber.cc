// SPDX-License-Identifier: Apache-2.0
#include "tests/support/cuda_shim/fiber.h"

#include <cstdint>

namespace scrooge::test::shim {

#if defined(__x86_64__)

__asm__(
    ".text\n"
    ".globl cuda_shim_switch\n"
    ".hidden cuda_shim_switch\n"
    ".type cuda_shim_switch,@function\n"
    "cuda_shim_switch:\n"
    "  pushq %rbp\n  pushq %rbx\n  pushq %r12\n  pushq %r13\n  pushq %r14\n  pushq %r15\n"
    "  movq %rsp, (%rdi)\n"
    "  movq %rsi, %rsp\n"
    "  popq %r15\n  popq %r14\n  popq %r13\n  popq %r12\n  popq %rbx\n  popq %rbp\n"
    "  ret\n"
    ".size cuda_shim_switch,.-cuda_shim_switch\n");

void start_fiber(Fiber& fiber, std::byte* stack, size_t bytes, void (*entry)()) {
  const uintptr_t top = (reinterpret_cast<uintptr_t>(stack) + bytes) / 16 * 16;
  // As if entry had been called: six registers, its address for `ret`, and a return address that is never used.
  auto** slots = reinterpret_cast<void**>(top) - 8;
  for (int i = 0; i < 6; ++i) slots[i] = nullptr;
  slots[6] = reinterpret_cast<void*>(entry);
  slots[7] = nullptr;
  fiber.stack_pointer = slots;
}

#else

void start_fiber(Fiber& fiber, std::byte* stack, size_t bytes, void (*entry)()) {
  getcontext(&fiber.context);
  fiber.context.uc_stack.ss_sp = stack;
  fiber.context.uc_stack.ss_size = bytes;
  fiber.context.uc_link = nullptr;
  makecontext(&fiber.context, entry, 0);
}

void switch_fiber(Fiber& from, Fiber& to) { swapcontext(&from.context, &to.context); }

#endif

}  // namespace scrooge::test::shim
