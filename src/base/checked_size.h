// SPDX-License-Identifier: Apache-2.0
// CheckedSize: every length, count, product, sum, align-up and offset that comes from a file goes through this type.
// Overflow poisons the value; it stays poisoned, so a whole expression is checked once at the end.
#pragma once

#include <concepts>
#include <cstdint>
#include <utility>

namespace scrooge {

class CheckedSize {
 public:
  constexpr CheckedSize() = default;
  template <std::integral I>
  constexpr CheckedSize(I value)  // NOLINT(google-explicit-constructor)
      : value_(static_cast<uint64_t>(value)), valid_(std::cmp_greater_equal(value, 0)) {}

  constexpr bool valid() const { return valid_; }
  // REQUIRES: valid().
  constexpr uint64_t value() const { return value_; }
  constexpr uint64_t value_or(uint64_t fallback) const { return valid_ ? value_ : fallback; }

  friend constexpr CheckedSize operator+(CheckedSize a, CheckedSize b) {
    uint64_t sum = 0;
    const bool overflow = __builtin_add_overflow(a.value_, b.value_, &sum);
    return CheckedSize(sum, a.valid_ && b.valid_ && !overflow);
  }
  friend constexpr CheckedSize operator-(CheckedSize a, CheckedSize b) {
    return CheckedSize(a.value_ - b.value_, a.valid_ && b.valid_ && a.value_ >= b.value_);
  }
  friend constexpr CheckedSize operator*(CheckedSize a, CheckedSize b) {
    uint64_t product = 0;
    const bool overflow = __builtin_mul_overflow(a.value_, b.value_, &product);
    return CheckedSize(product, a.valid_ && b.valid_ && !overflow);
  }
  CheckedSize& operator+=(CheckedSize b) { return *this = *this + b; }
  CheckedSize& operator*=(CheckedSize b) { return *this = *this * b; }

  // Rounded up to a multiple of `alignment` (any positive number).
  constexpr CheckedSize align_up(uint64_t alignment) const {
    if (alignment == 0) return CheckedSize(0, false);
    const uint64_t rest = value_ % alignment;
    return rest == 0 ? *this : *this + CheckedSize(alignment - rest);
  }
  // Quotient rounded up.
  constexpr CheckedSize ceil_div(uint64_t divisor) const {
    if (divisor == 0) return CheckedSize(0, false);
    return CheckedSize(value_ / divisor + (value_ % divisor != 0 ? 1 : 0), valid_);
  }
  // True when valid and [*this, *this + length) lies inside [0, total).
  constexpr bool range_fits(CheckedSize length, uint64_t total) const {
    return valid_ && length.valid_ && value_ <= total && length.value_ <= total - value_;
  }
  constexpr bool fits_in(uint64_t limit) const { return valid_ && value_ <= limit; }

 private:
  constexpr CheckedSize(uint64_t value, bool valid) : value_(value), valid_(valid) {}

  uint64_t value_ = 0;
  bool valid_ = true;
};

}  // namespace scrooge
