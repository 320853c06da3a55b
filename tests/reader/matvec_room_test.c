/* SPDX-License-Identifier: Apache-2.0
 * The room that bindings/c/run_matvec.c takes for its vectors, on machines of 32 and of 64 bits: a hostile file's
 * counts must not wrap around to a small number. */
#define main run_matvec_main
#include "bindings/c/run_matvec.c"
#undef main

static int wrong = 0;

static void expect(uint64_t a, uint64_t b, uint64_t c, uint64_t limit, uint64_t wanted) {
  const uint64_t got = bytes_of_floats(a, b, c, limit);
  if (got == wanted) return;
  fprintf(stderr, "%" PRIu64 " + %" PRIu64 " + %" PRIu64 " floats below %" PRIu64 ": %" PRIu64 ", not %" PRIu64 "\n", a,
          b, c, limit, got, wanted);
  wrong = 1;
}

int main(void) {
  const uint64_t gibi = UINT64_C(1) << 30;
  expect(4096, 32, 11008, UINT32_MAX, 4 * (4096 + 32 + 11008));
  expect(gibi - 3, 1, 1, UINT32_MAX, 4 * (gibi - 1)); /* the most that 32 bits hold */
  expect(gibi - 2, 1, 1, UINT32_MAX, 0);
  expect(gibi, 0, 0, UINT32_MAX, 0); /* 4 GiB, which is 0 in 32 bits */
  expect(1, gibi, 1, UINT32_MAX, 0);
  expect(1, 1, gibi, UINT32_MAX, 0);
  expect(gibi, 0, 0, UINT64_MAX, 4 * gibi);
  expect(UINT64_MAX, 1, 1, UINT64_MAX, 0); /* wraps before it is multiplied */
  expect(1, UINT64_MAX, UINT64_MAX, UINT64_MAX, 0);
  expect(UINT64_MAX / 4, 0, 1, UINT64_MAX, 0);
  return wrong;
}
