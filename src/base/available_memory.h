// SPDX-License-Identifier: Apache-2.0
// What this process may still take of the machine's memory, for a budget that nobody gave.
#pragma once

#include <cstdint>
#include <limits>
#include <string>

namespace scrooge {

// Which of the limits below is the tightest.
enum class MemorySource { kUnknown, kCgroup, kMachine, kProcess };

struct AvailableMemory {
  static constexpr uint64_t kUnlimited = std::numeric_limits<uint64_t>::max();

  uint64_t bytes = kUnlimited;  // kUnlimited with kUnknown: nothing says how much there is
  MemorySource source = MemorySource::kUnknown;
  friend bool operator==(const AvailableMemory&, const AvailableMemory&) = default;
};

// The limits a process has of its own (setrlimit), in bytes.
struct ProcessLimits {
  uint64_t data = AvailableMemory::kUnlimited;           // RLIMIT_DATA, held against VmData
  uint64_t address_space = AvailableMemory::kUnlimited;  // RLIMIT_AS, held against VmSize
};

// The least of
//  - cgroup v2: memory.max and memory.high less memory.current, for the process's own group and every group above it.
//    File pages on the kernel's lists count as free, because it takes them back before it kills.
//  - MemAvailable of /proc/meminfo.
//  - what the process limits leave.
// `root` stands before every path read ("" on a real machine). A file that is missing or makes no sense says nothing;
// there are no errors.
AvailableMemory read_available_memory(const std::string& root, const ProcessLimits& limits);

// Taken off for what no budget counts: the process's own growth (code, heap, stacks, the matrix library's buffers),
// page cache for the file that is being streamed, and the other programs. A tenth, at least 64 MiB.
uint64_t memory_margin(uint64_t available);

// Of this process, now, less the margin; 0 bytes when the margin is all there is.
AvailableMemory available_memory();

}  // namespace scrooge
