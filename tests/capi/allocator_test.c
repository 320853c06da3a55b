/* SPDX-License-Identifier: Apache-2.0
 * The allocator hook: allocator_test CHECKPOINT CALIBRATION_TEXT OUTPUT */
#include <scrooge/scrooge.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "check.h"

typedef struct ledger {
  uint64_t used;
  uint64_t peak;
  uint64_t calls;
  uint64_t limit; /* calls that succeed */
} ledger;

/* Keeps malloc's pointer in front of the aligned block. */
static void* take(void* user, size_t size, size_t alignment) {
  ledger* const book = user;
  CHECK(alignment != 0 && (alignment & (alignment - 1)) == 0 && alignment <= 256);
  if (book->calls >= book->limit) return NULL;
  char* const raw = malloc(size + alignment + sizeof(void*));
  if (raw == NULL) return NULL;
  const uintptr_t first = (uintptr_t)(raw + sizeof(void*));
  char* const block = raw + sizeof(void*) + (alignment - first % alignment) % alignment;
  ((void**)(void*)block)[-1] = raw;
  ++book->calls;
  book->used += size;
  if (book->used > book->peak) book->peak = book->used;
  return block;
}

static void give(void* user, void* pointer, size_t size) {
  ledger* const book = user;
  CHECK(pointer != NULL && size <= book->used);
  book->used -= size;
  free(((void**)pointer)[-1]);
}

static scrooge_status run(char** argv, ledger* book, scrooge_plan* plan) {
  const scrooge_allocator allocator = {
      .struct_size = sizeof(allocator), .allocate = take, .release = give, .user = book};
  scrooge_quantize_options options;
  scrooge_quantize_options_init(&options, sizeof options);
  options.checkpoint = argv[1];
  options.calibration_text = argv[2];
  options.output = argv[3];
  options.samples = 4;
  options.length = 32;
  options.group = 16;
  options.grid = 4;
  options.threads = 1; /* how often threads ask for scratch depends on their timing */
  options.fresh = 1;   /* else a run that finished a block before it failed would leave the next one less to do */
  options.allocator = &allocator;
  scrooge_job* job = NULL;
  scrooge_error* error = NULL;
  scrooge_status status = scrooge_job_prepare(&options, &job, &error);
  if (status == SCROOGE_OK) status = scrooge_job_get_plan(job, plan, &error);
  if (status == SCROOGE_OK) status = scrooge_job_convert(job, &error);
  if (status != SCROOGE_OK) {
    CHECK(scrooge_error_get_status(error) == status && scrooge_error_get_message(error)[0] != '\0');
  }
  scrooge_error_destroy(error);
  scrooge_job_destroy(job);
  return status;
}

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  remove(argv[3]);
  scrooge_plan plan = {.struct_size = sizeof(plan)};

  ledger book = {.limit = UINT64_MAX};
  CHECK(run(argv, &book, &plan) == SCROOGE_OK);
  CHECK(book.calls > 0 && book.used == 0);
  CHECK(book.peak <= plan.minimum_bytes);
  remove(argv[3]);

  /* An allocator that runs dry: a status, everything given back, nothing written. */
  const uint64_t limits[] = {0, 1, book.calls / 2, book.calls - 1};
  for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); ++i) {
    ledger dry = {.limit = limits[i]};
    CHECK(run(argv, &dry, &plan) == SCROOGE_OUT_OF_MEMORY);
    CHECK(dry.used == 0);
    FILE* const output = fopen(argv[3], "rb");
    CHECK(output == NULL);
    if (output != NULL) fclose(output);
  }
  return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
