// SPDX-License-Identifier: Apache-2.0
// Stands in front of the C library's allocator: counts what is taken and makes the N-th allocation fail. Linked in, it
// is steered by these functions; preloaded into a program, by the environment, from scrooge_job_prepare to the end
// of main:
//
//   SCROOGE_REFUSE_AT       which allocation fails, from 1; 0 or nothing: none
//   SCROOGE_REFUSE_ALWAYS   "1": that one and all later ones
//   SCROOGE_REFUSE_COUNT    a file for the number of allocations
//
// An allocation is a call of malloc, calloc, realloc and the aligned ones, which operator new comes to, or an anonymous
// mmap. Those of oneDNN, of the OpenMP run-time and, in a program that it is preloaded into, of simdjson are counted
// and never refused: these libraries do not bear it.
#pragma once

namespace scrooge::faults {

// Counts from 1 on and fails as told; `at` 0 only counts. Of all threads.
void fail_allocation(unsigned long at, bool always);
// Ends that and gives the count.
unsigned long stop_failing();

// What is taken and not yet given back, of the whole process.
struct Held {
  long blocks = 0;
  long bytes = 0;
  long maps = 0;
};
Held held();

}  // namespace scrooge::faults
