// SPDX-License-Identifier: Apache-2.0
// XXH64 for planes and metadata (short enough for any reader to implement), SHA-256 for the identity of sources.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace scrooge {

uint64_t xxh64(std::span<const std::byte> bytes);

// XXH64 over data that arrives in pieces; the same value as xxh64() of the whole.
class Xxh64 {
 public:
  Xxh64();
  ~Xxh64();
  Xxh64(Xxh64&&) noexcept;
  Xxh64& operator=(Xxh64&&) noexcept;
  void update(std::span<const std::byte> bytes);
  // The digest of everything since construction or the last finish(); the object starts over.
  uint64_t finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// SHA-256 over data that arrives in pieces.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  void update(std::span<const std::byte> bytes);
  // 64 lower-case hexadecimal digits; the object starts over.
  std::string finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace scrooge
