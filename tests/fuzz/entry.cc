// SPDX-License-Identifier: Apache-2.0
// The target under libFuzzer. `-write_seeds=FOLDER` as the first argument only writes the target's seeds there.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <fstream>

#include "tests/fuzz/boundary.h"
#include "tests/fuzz/fuzz_target.h"

extern "C" {

size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

int LLVMFuzzerInitialize(int* argc, char*** argv) {
  constexpr std::string_view kFlag = "-write_seeds=";
  if (*argc < 2 || !std::string_view((*argv)[1]).starts_with(kFlag)) return 0;
  const std::string folder((*argv)[1] + kFlag.size());
  int number = 0;
  for (const std::string& seed : scrooge::fuzz::seeds()) {
    std::ofstream(folder + "/seed-" + std::to_string(number++), std::ios::binary) << seed;
  }
  std::exit(0);
}

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  scrooge::fuzz::run({reinterpret_cast<const char*>(data), size});
  return 0;
}

// Half of the mutations plant a boundary value; the other half are libFuzzer's own, which know the dictionary.
size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned int seed) {
  scrooge::fuzz::Random random(seed);
  if (random.below(2) == 0) return LLVMFuzzerMutate(data, size, max_size);
  std::string mutated({reinterpret_cast<const char*>(data), size});
  for (uint64_t rounds = 1 + random.below(3); rounds > 0; --rounds) {
    mutated = scrooge::fuzz::plant(mutated, scrooge::fuzz::kInputKind, random);
  }
  const size_t kept = std::min(mutated.size(), max_size);
  std::memcpy(data, mutated.data(), kept);
  return kept;
}

}  // extern "C"
