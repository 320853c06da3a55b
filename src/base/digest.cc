// SPDX-License-Identifier: Apache-2.0
#include "src/base/digest.h"

#define XXH_STATIC_LINKING_ONLY  // the state is held by value
#include <nettle/sha2.h>
#include <xxhash.h>

namespace scrooge {

uint64_t xxh64(std::span<const std::byte> bytes) { return XXH64(bytes.data(), bytes.size(), 0); }

struct Xxh64::State {
  XXH64_state_t value;
};

Xxh64::Xxh64() : state_(std::make_unique<State>()) { (void)XXH64_reset(&state_->value, 0); }
Xxh64::~Xxh64() = default;
Xxh64::Xxh64(Xxh64&&) noexcept = default;
Xxh64& Xxh64::operator=(Xxh64&&) noexcept = default;

void Xxh64::update(std::span<const std::byte> bytes) {
  if (!bytes.empty()) (void)XXH64_update(&state_->value, bytes.data(), bytes.size());
}

uint64_t Xxh64::finish() {
  const uint64_t digest = XXH64_digest(&state_->value);
  (void)XXH64_reset(&state_->value, 0);
  return digest;
}

struct Sha256::State {
  sha256_ctx context;
};

Sha256::Sha256() : state_(std::make_unique<State>()) { sha256_init(&state_->context); }
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::span<const std::byte> bytes) {
  sha256_update(&state_->context, bytes.size(), reinterpret_cast<const uint8_t*>(bytes.data()));
}

std::string Sha256::finish() {
  static constexpr char kHex[] = "0123456789abcdef";
  uint8_t digest[SHA256_DIGEST_SIZE];
  sha256_digest(&state_->context, sizeof digest, digest);
  std::string out;
  for (const uint8_t byte : digest) {
    out.push_back(kHex[byte >> 4]);
    out.push_back(kHex[byte & 15]);
  }
  return out;
}

}  // namespace scrooge
