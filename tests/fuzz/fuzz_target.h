// SPDX-License-Identifier: Apache-2.0
// What a fuzz target is: one file of targets/ that defines the three names declared here. entry.cc makes a libFuzzer
// target of it, replay.cc a small test program that needs no fuzzer.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace scrooge::fuzz {

// How the mutator takes the input apart to plant boundary values.
enum class InputKind {
  kBinary,  // little-endian numbers of 1, 2, 4 and 8 bytes
  kJson,    // numbers, members and list elements of a text
  kText,    // neither
};

// ---- defined by the target ----

extern const InputKind kInputKind;
// Well-formed inputs, written by the same writers as the tests'. Deterministic.
std::vector<std::string> seeds();
// Reads the input as the library would. A broken promise is a require() that fails.
void run(std::string_view input);

// ---- helpers ----

// Ends the program, so that the input is kept: for properties that must hold of every input.
inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken promise: %s\n", what);
  std::abort();
}

// A literal with NULs inside, whole.
template <size_t N>
std::string literal(const char (&text)[N]) {
  return std::string(text, N - 1);
}

// Takes numbers off the front of the input; zeros when it is used up.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}
  bool empty() const { return rest_.empty(); }
  std::string_view rest() const { return rest_; }
  uint8_t byte() {
    if (rest_.empty()) return 0;
    const auto value = static_cast<uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return value;
  }
  uint64_t number(int bytes) {
    uint64_t value = 0;
    for (int i = 0; i < bytes; ++i) value |= uint64_t{byte()} << (8 * i);
    return value;
  }
  // One of the choices, whatever the byte is.
  template <typename T>
  const T& pick(std::span<const T> choices) {
    return choices[byte() % choices.size()];
  }
  template <typename T, size_t N>
  const T& pick(const T (&choices)[N]) {
    return choices[byte() % N];
  }

 private:
  std::string_view rest_;
};

}  // namespace scrooge::fuzz
