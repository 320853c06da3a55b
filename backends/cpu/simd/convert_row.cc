// SPDX-License-Identifier: Apache-2.0
#include "backends/cpu/simd/convert_row.h"

#include <algorithm>
#include <cstring>

#include "backends/cpu/simd/targets.h"
#include "src/base/half.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/simd/convert_row.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace scrooge::backend::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Nearest even by integer arithmetic: the wide instructions differ between sets in what they do with NaN and
// subnormals.
template <typename Prepare>
HWY_INLINE void round_to_bf16(const float* from, uint16_t* to, int64_t n, const Prepare& prepare) {
  const hn::ScalableTag<float> tag;
  const hn::RebindToUnsigned<decltype(tag)> bits_tag;
  const hn::Rebind<uint16_t, decltype(tag)> half_tag;
  const auto lanes = static_cast<int64_t>(hn::Lanes(tag));
  const auto half = hn::Set(bits_tag, 0x7fffu);
  const auto one = hn::Set(bits_tag, 1u);
  const auto quiet = hn::Set(bits_tag, 0x00400000u);
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const auto value = prepare(hn::LoadU(tag, from + i));
    const auto bits = hn::BitCast(bits_tag, value);
    const auto odd = hn::And(hn::ShiftRight<16>(bits), one);
    const auto rounded = hn::Add(bits, hn::Add(half, odd));
    const auto is_nan = hn::RebindMask(bits_tag, hn::IsNaN(value));
    const auto chosen = hn::ShiftRight<16>(hn::IfThenElse(is_nan, hn::Or(bits, quiet), rounded));
    // The upper halves are zero, so that the signed saturation of the narrowing must not see them as large.
    const hn::RebindToSigned<decltype(bits_tag)> signed_tag;
    hn::StoreU(hn::DemoteTo(half_tag, hn::BitCast(signed_tag, chosen)), half_tag, to + i);
  }
  for (; i < n; ++i) to[i] = float_to_bf16(hn::GetLane(prepare(hn::Set(tag, from[i]))));
}

void float_to_bf16(const float* from, uint16_t* to, int64_t n) {
  round_to_bf16(from, to, n, [](auto v) HWY_ATTR { return v; });
}

void doubled_to_bf16(const float* from, uint16_t* to, int64_t n) {
  round_to_bf16(from, to, n, [](auto v) HWY_ATTR { return hn::Add(v, v); });
}

void bf16_to_float(const uint16_t* from, float* to, int64_t n) {
  const hn::ScalableTag<float> tag;
  const hn::RebindToUnsigned<decltype(tag)> bits_tag;
  const hn::Rebind<uint16_t, decltype(tag)> half_tag;
  const auto lanes = static_cast<int64_t>(hn::Lanes(tag));
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const auto bits = hn::ShiftLeft<16>(hn::PromoteTo(bits_tag, hn::LoadU(half_tag, from + i)));
    hn::StoreU(hn::BitCast(tag, bits), tag, to + i);
  }
  for (; i < n; ++i) to[i] = scrooge::bf16_to_float(from[i]);
}

// Hardware conversions of binary16 are exact and nearest even from AVX2 (F16C) on.
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2
void fp16_to_float(const uint16_t* from, float* to, int64_t n) {
  const hn::ScalableTag<float> tag;
  const hn::Rebind<hwy::float16_t, decltype(tag)> half_tag;
  const auto lanes = static_cast<int64_t>(hn::Lanes(tag));
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const auto half = hn::LoadU(half_tag, reinterpret_cast<const hwy::float16_t*>(from + i));
    hn::StoreU(hn::PromoteTo(tag, half), tag, to + i);
  }
  for (; i < n; ++i) to[i] = scrooge::fp16_to_float(from[i]);
}

void float_to_fp16(const float* from, uint16_t* to, int64_t n) {
  const hn::ScalableTag<float> tag;
  const hn::Rebind<hwy::float16_t, decltype(tag)> half_tag;
  const auto lanes = static_cast<int64_t>(hn::Lanes(tag));
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const auto half = hn::DemoteTo(half_tag, hn::LoadU(tag, from + i));
    hn::StoreU(half, half_tag, reinterpret_cast<hwy::float16_t*>(to + i));
  }
  for (; i < n; ++i) to[i] = scrooge::float_to_fp16(from[i]);
}
#else
void fp16_to_float(const uint16_t* from, float* to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = scrooge::fp16_to_float(from[i]);
}
void float_to_fp16(const float* from, uint16_t* to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = scrooge::float_to_fp16(from[i]);
}
#endif

}  // namespace scrooge::backend::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace scrooge::backend::cpu {
HWY_EXPORT(float_to_bf16);
HWY_EXPORT(doubled_to_bf16);
HWY_EXPORT(bf16_to_float);
HWY_EXPORT(fp16_to_float);
HWY_EXPORT(float_to_fp16);

void float_to_bf16_row(const float* from, uint16_t* to, int64_t n) { HWY_DYNAMIC_DISPATCH(float_to_bf16)(from, to, n); }

void doubled_to_bf16_row(const float* from, uint16_t* to, int64_t n) {
  HWY_DYNAMIC_DISPATCH(doubled_to_bf16)(from, to, n);
}

namespace {

void to_float(const void* from, DType type, float* to, int64_t n) {
  const auto* half = static_cast<const uint16_t*>(from);
  if (type == DType::kBF16) {
    HWY_DYNAMIC_DISPATCH(bf16_to_float)(half, to, n);
  } else if (type == DType::kF16) {
    HWY_DYNAMIC_DISPATCH(fp16_to_float)(half, to, n);
  } else {
    std::memcpy(to, from, static_cast<size_t>(n) * sizeof(float));
  }
}

void from_float(const float* from, void* to, DType type, int64_t n) {
  auto* half = static_cast<uint16_t*>(to);
  if (type == DType::kBF16) {
    HWY_DYNAMIC_DISPATCH(float_to_bf16)(from, half, n);
  } else if (type == DType::kF16) {
    HWY_DYNAMIC_DISPATCH(float_to_fp16)(from, half, n);
  } else {
    std::memcpy(to, from, static_cast<size_t>(n) * sizeof(float));
  }
}

}  // namespace

void convert_row(const void* from, DType from_type, void* to, DType to_type, int64_t n) {
  if (from_type == to_type) {
    std::memcpy(to, from, static_cast<size_t>(n * dtype_size(from_type)));
  } else if (from_type == DType::kF32) {
    from_float(static_cast<const float*>(from), to, to_type, n);
  } else if (to_type == DType::kF32) {
    to_float(from, from_type, static_cast<float*>(to), n);
  } else {  // between the two half types, through f32
    constexpr int64_t kPiece = 256;
    float piece[kPiece];
    for (int64_t begin = 0; begin < n; begin += kPiece) {
      const int64_t count = std::min(kPiece, n - begin);
      to_float(static_cast<const uint16_t*>(from) + begin, from_type, piece, count);
      from_float(piece, static_cast<uint16_t*>(to) + begin, to_type, count);
    }
  }
}

}  // namespace scrooge::backend::cpu
#endif
