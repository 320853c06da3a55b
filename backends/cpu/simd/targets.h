// SPDX-License-Identifier: Apache-2.0
// Which instruction sets the kernels are compiled for; include before hwy/foreach_target.h. Left out are: SSSE3, for no
// processor that stops there is worth its compile time; those whose vectors have no size at compile time (SVE, RVV),
// which kernels keep in arrays; and NEON on 32-bit ARM, where it flushes subnormals and has no division, so that its
// codes would be others. Builds with sanitizers leave out two more, to be built sooner.
#pragma once

#if defined(__arm__)
#define SCROOGE_INEXACT_TARGETS HWY_NEON
#else
#define SCROOGE_INEXACT_TARGETS 0
#endif
#ifdef SCROOGE_FEW_TARGETS
#define SCROOGE_SPARED_TARGETS (HWY_SSE4 | HWY_AVX3_DL)
#else
#define SCROOGE_SPARED_TARGETS 0
#endif
#define HWY_DISABLED_TARGETS                                                                         \
  (HWY_SSSE3 | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV | SCROOGE_INEXACT_TARGETS | \
   SCROOGE_SPARED_TARGETS)
