// SPDX-License-Identifier: Apache-2.0
#include "backends/cpu/processor.h"

#include <unistd.h>

#include <cstring>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace scrooge::backend::cpu {
namespace {

#if defined(__x86_64__)
// The register state that the operating system saves; without it the instructions of a wider tier fault.
uint64_t enabled_state() {
  uint32_t low = 0;
  uint32_t high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (static_cast<uint64_t>(high) << 32) | low;
}

std::string brand() {
  uint32_t words[12] = {};
  uint32_t a = 0, b = 0, c = 0, d = 0;
  if (!__get_cpuid(0x80000000u, &a, &b, &c, &d) || a < 0x80000004u) return {};
  for (uint32_t leaf = 0; leaf < 3; ++leaf) {
    uint32_t* at = words + 4 * leaf;
    __get_cpuid(0x80000002u + leaf, at, at + 1, at + 2, at + 3);
  }
  char text[sizeof words + 1] = {};
  std::memcpy(text, words, sizeof words);
  std::string name(text);
  name.erase(name.find_last_not_of(' ') + 1);
  name.erase(0, name.find_first_not_of(' '));
  return name;
}

void detect_features(Processor& processor) {
  processor.name = brand();
  uint32_t a = 0, b = 0, c = 0, d = 0;
  if (!__get_cpuid(1, &a, &b, &c, &d)) return;
  const bool fma = (c >> 12) & 1u;
  if (((c >> 27) & 1u) == 0) return;  // no XGETBV
  const uint64_t state = enabled_state();
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return;
  const auto leaf7_b = b;
  const auto leaf7_d = d;
  processor.avx2 = fma && ((leaf7_b >> 5) & 1u) && (state & 0x06u) == 0x06u;
  constexpr uint32_t kFoundation = (1u << 16) | (1u << 17) | (1u << 30) | (1u << 31);  // F, DQ, BW, VL
  processor.avx512 = (leaf7_b & kFoundation) == kFoundation && (state & 0xe6u) == 0xe6u;
  processor.amx =
      processor.avx512 && ((leaf7_d >> 22) & 1u) && ((leaf7_d >> 24) & 1u) && (state & 0x60000u) == 0x60000u;
  const bool avx512_bf16 = __get_cpuid_count(7, 1, &a, &b, &c, &d) && ((a >> 5) & 1u);
  processor.bf16 = processor.avx512 && (avx512_bf16 || processor.amx);
}
#else
void detect_features(Processor&) {}
#endif

}  // namespace

Processor detect_processor() {
  Processor processor;
  detect_features(processor);
  if (processor.name.empty()) processor.name = "host processor";
  const long page = sysconf(_SC_PAGESIZE);
  const long total = sysconf(_SC_PHYS_PAGES);
  const long available = sysconf(_SC_AVPHYS_PAGES);
  if (page > 0 && total > 0) processor.total_bytes = static_cast<uint64_t>(page) * static_cast<uint64_t>(total);
  if (page > 0 && available > 0) processor.free_bytes = static_cast<uint64_t>(page) * static_cast<uint64_t>(available);
  return processor;
}

}  // namespace scrooge::backend::cpu
