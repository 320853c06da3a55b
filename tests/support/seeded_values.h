// SPDX-License-Identifier: Apache-2.0
// Small reproducible generator: the same numbers on every platform and standard library.
#pragma once

#include <cstdint>
#include <vector>

namespace scrooge::test {

class SeededValues {
 public:
  explicit SeededValues(uint64_t seed) : state_(seed) {}

  uint64_t next() {  // splitmix64
    state_ += 0x9e3779b97f4a7c15u;
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  int64_t below(int64_t limit) { return static_cast<int64_t>(next() % static_cast<uint64_t>(limit)); }
  float uniform(float low, float high) { return low + (high - low) * (static_cast<float>(next() >> 40) * 0x1p-24f); }
  // Bell-shaped, mean 0, standard deviation 1, within +-3.5.
  float bell() {
    float sum = 0;
    for (int i = 0; i < 4; ++i) sum += uniform(-1, 1);
    return sum * 0.8660254f;
  }
  std::vector<float> bells(int64_t count, float scale = 1) {
    std::vector<float> values(static_cast<size_t>(count));
    for (float& value : values) value = scale * bell();
    return values;
  }
  std::vector<float> uniforms(int64_t count, float low, float high) {
    std::vector<float> values(static_cast<size_t>(count));
    for (float& value : values) value = uniform(low, high);
    return values;
  }

 private:
  uint64_t state_;
};

}  // namespace scrooge::test
