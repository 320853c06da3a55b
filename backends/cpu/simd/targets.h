// SPDX-License-Identifier: Apache-2.0
// Which instruction sets the kernels are compiled for; include before hwy/foreach_target.h. SSSE3 is left out: no
// processor that stops there is worth its compile time.
#pragma once

#define HWY_DISABLED_TARGETS HWY_SSSE3
