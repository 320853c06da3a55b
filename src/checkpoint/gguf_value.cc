// SPDX-License-Identifier: Apache-2.0
#include <bit>
#include <cmath>
#include <limits>

#include "src/base/text.h"
#include "src/checkpoint/gguf_header.h"
#include "src/checkpoint/gguf_parser.h"
#include "src/checkpoint/load.h"

namespace scrooge::checkpoint {
namespace {

bool is_integer(GgufType type) {
  return type != GgufType::kF32 && type != GgufType::kF64 && type != GgufType::kBool && type != GgufType::kString &&
         type != GgufType::kArray;
}

// Sign and magnitude hold every integer type. REQUIRES: is_integer(type).
struct Integer {
  bool negative;
  uint64_t bits;  // two's complement when negative
};

Integer load_integer(GgufType type, const std::byte* from) {
  const auto from_signed = [](int64_t value) { return Integer{value < 0, static_cast<uint64_t>(value)}; };
  switch (type) {
    case GgufType::kU8: return {false, load_u8(from)};
    case GgufType::kU16: return {false, load_le<uint16_t>(from)};
    case GgufType::kU32: return {false, load_le<uint32_t>(from)};
    case GgufType::kI8: return from_signed(static_cast<int8_t>(load_u8(from)));
    case GgufType::kI16: return from_signed(static_cast<int16_t>(load_le<uint16_t>(from)));
    case GgufType::kI32: return from_signed(static_cast<int32_t>(load_le<uint32_t>(from)));
    case GgufType::kI64: return from_signed(static_cast<int64_t>(load_le<uint64_t>(from)));
    default: return {false, load_le<uint64_t>(from)};
  }
}

bool fits_i64(Integer number) { return number.negative || number.bits <= std::numeric_limits<int64_t>::max(); }

}  // namespace

std::string GgufValue::where() const { return concat(*name_, ": ", printable(key_)); }

Status GgufValue::fail(std::string_view what, StatusCode code) const { return error(code, where(), ": ", what); }

Result<uint64_t> GgufValue::as_u64() const {
  if (!is_integer(type_)) return fail(concat("expected a whole number, found ", gguf_type_name(type_)));
  const Integer number = load_integer(type_, payload_.data());
  if (number.negative) return fail("negative; expected a number from 0");
  return number.bits;
}

Result<int64_t> GgufValue::as_i64() const {
  if (!is_integer(type_)) return fail(concat("expected a whole number, found ", gguf_type_name(type_)));
  const Integer number = load_integer(type_, payload_.data());
  if (!fits_i64(number)) return fail(concat(number.bits, " is too large"));
  return static_cast<int64_t>(number.bits);
}

Result<uint64_t> GgufValue::as_u64_in(uint64_t low, uint64_t high) const {
  SCROOGE_ASSIGN_OR_RETURN(const uint64_t number, as_u64());
  if (number < low || number > high) return fail(concat(number, " is outside ", low, " to ", high));
  return number;
}

Result<double> GgufValue::as_f64() const {
  double number = 0;
  if (type_ == GgufType::kF32) {
    number = static_cast<double>(load_f32(payload_.data()));
  } else if (type_ == GgufType::kF64) {
    number = std::bit_cast<double>(load_le<uint64_t>(payload_.data()));
  } else if (is_integer(type_)) {
    const Integer integer = load_integer(type_, payload_.data());
    number =
        integer.negative ? static_cast<double>(static_cast<int64_t>(integer.bits)) : static_cast<double>(integer.bits);
  } else {
    return fail(concat("expected a number, found ", gguf_type_name(type_)));
  }
  if (!std::isfinite(number)) return fail("expected a finite number");
  return number;
}

Result<bool> GgufValue::as_bool() const {
  if (type_ != GgufType::kBool) return fail(concat("expected true or false, found ", gguf_type_name(type_)));
  return load_u8(payload_.data()) != 0;
}

Result<std::string_view> GgufValue::as_string() const {
  if (type_ != GgufType::kString) return fail(concat("expected a string, found ", gguf_type_name(type_)));
  return std::string_view(reinterpret_cast<const char*>(payload_.data()), payload_.size());
}

Result<std::vector<std::string_view>> GgufValue::as_strings() const {
  if (!is_array() || array_type_ != GgufType::kString) return fail("expected an array of strings");
  std::vector<std::string_view> strings;
  strings.reserve(array_length_);
  const std::byte* at = payload_.data();
  for (uint64_t i = 0; i < array_length_; ++i) {
    const auto length = load_le<uint64_t>(at);  // lengths were checked when the header was parsed
    strings.emplace_back(reinterpret_cast<const char*>(at + 8), length);
    at += 8 + length;
  }
  return strings;
}

Result<std::vector<int64_t>> GgufValue::as_ints() const {
  if (!is_array() || !is_integer(array_type_)) return fail("expected an array of whole numbers");
  std::vector<int64_t> numbers;
  numbers.reserve(array_length_);
  const uint64_t size = gguf_scalar_size(array_type_);
  for (uint64_t i = 0; i < array_length_; ++i) {
    const Integer number = load_integer(array_type_, payload_.data() + i * size);
    if (!fits_i64(number)) return fail(concat("element ", i, ": ", number.bits, " is too large"));
    numbers.push_back(static_cast<int64_t>(number.bits));
  }
  return numbers;
}

Result<std::vector<float>> GgufValue::as_floats() const {
  const bool wide = array_type_ == GgufType::kF64;
  if (!is_array() || (!wide && array_type_ != GgufType::kF32))
    return fail("expected an array of floating point numbers");
  std::vector<float> numbers;
  numbers.reserve(array_length_);
  const uint64_t size = gguf_scalar_size(array_type_);
  for (uint64_t i = 0; i < array_length_; ++i) {
    const std::byte* at = payload_.data() + i * size;
    const double number = wide ? std::bit_cast<double>(load_le<uint64_t>(at)) : static_cast<double>(load_f32(at));
    // Above the range of f32 the cast itself would be undefined.
    numbers.push_back(
        std::fabs(number) > static_cast<double>(std::numeric_limits<float>::max()) && std::isfinite(number)
            ? std::copysign(std::numeric_limits<float>::infinity(), static_cast<float>(number > 0 ? 1 : -1))
            : static_cast<float>(number));
  }
  return numbers;
}

}  // namespace scrooge::checkpoint
