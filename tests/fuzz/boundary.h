// SPDX-License-Identifier: Apache-2.0
// Mutations that know what a file is made of: boundary values in counts, dimensions, offsets and alignments.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tests/fuzz/fuzz_target.h"

namespace scrooge::fuzz {

// A small reproducible generator (splitmix64).
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
  }
  // In [0, limit). REQUIRES: limit > 0.
  uint64_t below(uint64_t limit) { return next() % limit; }

 private:
  uint64_t state_;
};

// A number that checks get wrong: 0, 1, powers of two and their neighbours up to 2^64 - 1, alignments and theirs, and
// `size` (of the input) and its.
uint64_t boundary_value(Random& random, uint64_t size);

// The input with one such value planted in a number it holds, or with one element doubled, dropped or cut.
std::string plant(std::string_view input, InputKind kind, Random& random);

}  // namespace scrooge::fuzz
