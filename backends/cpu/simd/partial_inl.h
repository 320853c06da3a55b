// SPDX-License-Identifier: Apache-2.0
// Loads and stores of the first `count` lanes, for row ends. Compiled once per instruction set, hence no #pragma once.
#if defined(SCROOGE_CPU_PARTIAL_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef SCROOGE_CPU_PARTIAL_INL_H
#undef SCROOGE_CPU_PARTIAL_INL_H
#else
#define SCROOGE_CPU_PARTIAL_INL_H
#endif

#include <cstring>

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace scrooge::backend::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using FloatTag = hn::ScalableTag<float>;
using FloatVec = hn::Vec<FloatTag>;

// Lanes from `count` on are zero. Goes through memory only where masked loads could touch what lies behind.
HWY_INLINE FloatVec load_partial(FloatTag tag, const float* from, size_t count) {
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2
  return hn::MaskedLoad(hn::FirstN(tag, count), tag, from);
#else
  HWY_ALIGN float lanes[HWY_MAX_BYTES / sizeof(float)] = {};
  std::memcpy(lanes, from, count * sizeof(float));
  return hn::Load(tag, lanes);
#endif
}

HWY_INLINE void store_partial(FloatVec value, FloatTag tag, float* to, size_t count) {
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2
  hn::BlendedStore(value, hn::FirstN(tag, count), tag, to);
#else
  HWY_ALIGN float lanes[HWY_MAX_BYTES / sizeof(float)];
  hn::Store(value, tag, lanes);
  std::memcpy(to, lanes, count * sizeof(float));
#endif
}

// out[i] = function(load(i)...) over n elements of one or two inputs; the same operations for whole and partial
// vectors.
template <typename Function>
HWY_INLINE void map_row(const float* a, float* out, size_t n, const Function& function) {
  const FloatTag tag;
  const size_t lanes = hn::Lanes(tag);
  size_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(function(hn::LoadU(tag, a + i)), tag, out + i);
  if (i < n) store_partial(function(load_partial(tag, a + i, n - i)), tag, out + i, n - i);
}
template <typename Function>
HWY_INLINE void map_row(const float* a, const float* b, float* out, size_t n, const Function& function) {
  const FloatTag tag;
  const size_t lanes = hn::Lanes(tag);
  size_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    hn::StoreU(function(hn::LoadU(tag, a + i), hn::LoadU(tag, b + i)), tag, out + i);
  }
  if (i < n) {
    store_partial(function(load_partial(tag, a + i, n - i), load_partial(tag, b + i, n - i)), tag, out + i, n - i);
  }
}

}  // namespace scrooge::backend::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
